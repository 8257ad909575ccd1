/* The command line, and the interactive prompt. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "front/arena.h"
#include "front/compile.h"
#include "interp/interp.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/import.h"
#include "runtime/repl.h"
#include "runtime/start.h"
#include "runtime/torture.h"

static const char usage_line[] = "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";
static const char usage_text[] =
    "Options (and corresponding environment variables):\n"
    "-b     : issue warnings about str(bytes_instance), str(bytearray_instance)\n"
    "         and comparing bytes/bytearray with str. (-bb: issue errors)\n"
    "-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x (none are ever written)\n"
    "-c cmd : program passed in as string (terminates option list)\n"
    "-d     : turn on parser debugging output (has no effect)\n"
    "-E     : ignore PYTHON* environment variables (such as PYTHONPATH)\n"
    "-h     : print this help message and exit (also -? or --help)\n"
    "-i     : inspect interactively after running script; forces a prompt even\n"
    "         if stdin does not appear to be a terminal; also PYTHONINSPECT=x\n"
    "-I     : isolate Python from the user's environment (implies -E and -s)\n"
    "-m mod : run library module as a script (terminates option list)\n"
    "-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x\n"
    "-OO    : do -O changes and also discard docstrings\n"
    "-P     : don't prepend a potentially unsafe path to sys.path\n"
    "-q     : don't print version and copyright messages on interactive startup\n"
    "-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE\n"
    "-S     : don't imply 'import site' on initialization\n"
    "-u     : force the stdout and stderr streams to be unbuffered; also PYTHONUNBUFFERED=x\n"
    "-v     : verbose (trace import statements); also PYTHONVERBOSE=x\n"
    "-V     : print the Python version number and exit (also --version)\n"
    "         when given twice, print more information about the build\n"
    "-W arg : warning control; arg is action:message:category:module:lineno\n"
    "         also PYTHONWARNINGS=arg\n"
    "-x     : skip first line of source, allowing use of non-Unix forms of #!cmd\n"
    "-X opt : set implementation-specific option: heap=SIZE limits the heap (e.g. heap=512M);\n"
    "         torture=..., leakcheck for tests (see --help-xoptions);\n"
    "         dev, faulthandler, utf8, int_max_str_digits=N, warn_default_encoding as in CPython\n"
    "--check-hash-based-pycs always|default|never: accepted, there are no .pyc files\n"
    "file   : program read from script file\n"
    "-      : program read from stdin (default; interactive mode if a tty)\n"
    "arg ...: arguments passed to program in sys.argv[1:]\n";

static const char env_text[] = "Environment variables that change behavior:\n"
                               "PYTHONPATH         : ':'-separated list of directories prefixed to sys.path\n"
                               "PYTHONHOME         : accepted; the library is found in " STDLIB_DIR "\n"
                               "PYTHONSTARTUP      : file executed on interactive startup (no default)\n"
                               "PYTHONSAFEPATH     : don't prepend a potentially unsafe path to sys.path (-P)\n"
                               "PYTHONINSPECT      : inspect interactively after running a script (-i)\n"
                               "PYTHONOPTIMIZE     : remove assert statements (-O)\n"
                               "PYTHONUNBUFFERED   : unbuffered standard output and error (-u)\n"
                               "PYTHONNOUSERSITE   : no user site directory (-s)\n"
                               "PYTHONWARNINGS     : warning filters (-W)\n"
                               "PYTHONIOENCODING   : encoding[:errors] of the standard streams\n"
                               "PYTHONHASHSEED     : 'random' or an integer: seed of the hashes of str and bytes\n"
                               "PYTHONINTMAXSTRDIGITS : limit of digits in conversions between int and str\n"
                               "PYTHONDEVMODE      : development mode (-X dev)\n"
                               "PYTHONFAULTHANDLER : traceback on a fatal signal (-X faulthandler)\n"
                               "PYTHONPYCACHEPREFIX: sets sys.pycache_prefix\n";
static const char x_text[] =
    "The following implementation-specific options are available:\n"
    "-X heap=SIZE: limit of the heap, e.g. 512M; beyond it MemoryError is raised\n"
    "-X dev: enable Python Development Mode; also PYTHONDEVMODE\n"
    "-X faulthandler: print the traceback on a fatal signal; also PYTHONFAULTHANDLER, and part of -X dev\n"
    "-X utf8[=0|1]: UTF-8 mode\n"
    "-X int_max_str_digits=N: limit of digits in conversions between int and str; also PYTHONINTMAXSTRDIGITS\n"
    "-X warn_default_encoding: warn when the locale's encoding is used by default\n"
    "-X torture=EVENT[,EVENT...]: force rare events, for tests: collect:N collects in each n-th allocation,\n"
    "         fail:N makes each n-th allocation fail, switch yields at each safepoint, park never spins for a lock\n"
    "-X leakcheck: at exit, report objects that nothing refers to and that were not freed; exit status 121\n"
    "         (always on in builds with asserts)\n"
    "-X pycache_prefix=PATH: sets sys.pycache_prefix; also PYTHONPYCACHEPREFIX\n";

static void usage_error(const char *prog) {
    fprintf(stderr, usage_line, prog);
    fprintf(stderr, "Try `%s -h' for more information.\n", "python");
}

static bool parse_size(const char *s, size_t *out) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(s, &end, 10);
    if (end == s || errno || *s == '-')
        return false;
    int shift = 0;
    switch (*end) {
    case 'k':
    case 'K':
        shift = 10;
        end++;
        break;
    case 'm':
    case 'M':
        shift = 20;
        end++;
        break;
    case 'g':
    case 'G':
        shift = 30;
        end++;
        break;
    }
    if (*end || n == 0 || n > (SIZE_MAX >> shift))
        return false;
    *out = (size_t)n << shift;
    return true;
}

/* One -X option; false: the process ends with a message. */
static bool x_option(StartOptions *o, const char *x) {
    if (o->n_x < (int)ARRAY_LEN(o->x))
        o->x[o->n_x++] = x;
    if (strncmp(x, "heap=", 5) == 0) {
        if (!parse_size(x + 5, &o->heap_limit)) {
            fprintf(stderr, "polygil: -X heap: '%s' is no size (examples: 512M, 2G)\n", x + 5);
            return false;
        }
    } else if (strncmp(x, "torture=", 8) == 0) {
        if (!torture_option(x + 8)) {
            fprintf(stderr,
                    "polygil: -X torture: '%s' is none of collect:N, fail:N, switch, park, or several with commas\n",
                    x + 8);
            return false;
        }
    } else if (strcmp(x, "leakcheck") == 0) {
        o->leakcheck = true;
    } else if (strcmp(x, "int_max_str_digits") == 0) {
        fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; "
                        "must be >= 640 or 0 for "
                        "unlimited.\nPython runtime state: preinitialized\n");
        return false;
    } else if (strcmp(x, "dev") == 0)
        sys_flags.dev_mode = 1;
    else if (strcmp(x, "utf8") == 0 || strcmp(x, "utf8=1") == 0)
        sys_flags.utf8_mode = 1;
    else if (strcmp(x, "faulthandler") == 0)
        o->faulthandler = true;
    else if (strcmp(x, "warn_default_encoding") == 0)
        sys_flags.warn_default_encoding = 1;
    else if (strncmp(x, "int_max_str_digits=", 19) == 0) {
        char *end;
        long n = strtol(x + 19, &end, 10);
        if (*end || end == x + 19 || n < 0 || (n && n < 640) || n > INT_MAX) {
            fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; "
                            "must be >= 640 or 0 for "
                            "unlimited.\nPython runtime state: preinitialized\n");
            return false;
        }
        sys_flags.int_max_str_digits = (int)n;
    }
    return true;
}

static void env_flag(int *flag, const char *name) {
    const char *v = sys_flags.ignore_environment ? NULL : getenv(name);
    if (!v || !*v)
        return;
    int n = atoi(v);
    if (n <= 0)
        n = 1;
    if (n > *flag)
        *flag = n;
}

/* -1: go on; else the exit status. */
static int parse_command_line(int argc, char **argv, StartOptions *o) {
    int i = 1, version = 0;
    bool help = false, done = false;
    o->orig_argv = argv;
    o->orig_argc = argc;
    o->executable = argv[0];
    while (i < argc && !done) {
        const char *a = argv[i];
        if (a[0] != '-' || a[1] == 0)
            break;
        if (strcmp(a, "--") == 0) {
            i++;
            break;
        }
        if (a[1] == '-') {
            if (strcmp(a, "--help") == 0)
                help = true;
            else if (strcmp(a, "--version") == 0)
                version++;
            else if (strcmp(a, "--check-hash-based-pycs") == 0) {
                if (++i >= argc) {
                    fprintf(stderr, "Argument expected for the %s option\n", a);
                    usage_error(argv[0]);
                    return 2;
                }
            } else if (strcmp(a, "--help-env") == 0) {
                fputs(env_text, stdout);
                return 0;
            } else if (strcmp(a, "--help-xoptions") == 0) {
                fputs(x_text, stdout);
                return 0;
            } else if (strcmp(a, "--help-all") == 0) {
                printf(usage_line, argv[0]);
                printf("%s\n%s\n%s", usage_text, env_text, x_text);
                return 0;
            } else {
                fprintf(stderr, "unknown option %s\n", a);
                usage_error(argv[0]);
                return 2;
            }
            i++;
            continue;
        }
        for (const char *p = a + 1; *p && !done; p++) {
            const char *value = NULL;
            if (*p == 'c' || *p == 'm' || *p == 'W' || *p == 'X') {
                value = p[1] ? p + 1 : i + 1 < argc ? argv[++i] : NULL;
                if (!value) {
                    fprintf(stderr, "Argument expected for the -%c option\n", *p);
                    usage_error(argv[0]);
                    return 2;
                }
            }
            switch (*p) {
            case 'b':
                sys_flags.bytes_warning++;
                break;
            case 'B':
                sys_flags.dont_write_bytecode = 1;
                break;
            case 'c':
                o->command = value;
                done = true;
                break;
            case 'd':
                sys_flags.debug++;
                break;
            case 'E':
                sys_flags.ignore_environment = 1;
                break;
            case 'h':
            case '?':
                help = true;
                break;
            case 'i':
                sys_flags.inspect++;
                sys_flags.interactive++;
                break;
            case 'I':
                sys_flags.isolated = sys_flags.ignore_environment = sys_flags.no_user_site = sys_flags.safe_path = 1;
                break;
            case 'm':
                o->module = value;
                done = true;
                break;
            case 'O':
                sys_flags.optimize++;
                break;
            case 'P':
                sys_flags.safe_path = 1;
                break;
            case 'q':
                sys_flags.quiet++;
                break;
            case 'R':
                o->hash_random = true;
                break;
            case 'J':
                break;
            case 's':
                sys_flags.no_user_site = 1;
                break;
            case 'S':
                sys_flags.no_site = 1;
                break;
            case 't':
                break;
            case 'u':
                o->unbuffered = true;
                break;
            case 'v':
                sys_flags.verbose++;
                import_verbose = true;
                break;
            case 'V':
                version++;
                break;
            case 'W':
                if (o->n_warn < (int)ARRAY_LEN(o->warn))
                    o->warn[o->n_warn++] = value;
                break;
            case 'x':
                o->skip_first_line = true;
                break;
            case 'X':
                if (!x_option(o, value))
                    return 1;
                break;
            default:
                fprintf(stderr, "Unknown option: -%c\n", *p);
                usage_error(argv[0]);
                return 2;
            }
            if (value)
                break;
        }
        i++;
    }
    if (help) {
        printf(usage_line, argv[0]);
        fputs(usage_text, stdout);
        return 0;
    }
    if (version) {
        printf("Python %s\n", version > 1 ? start_version_text() : "3.11.2");
        return 0;
    }
    if (!o->command && !o->module && i < argc) {
        if (strcmp(argv[i], "-") == 0)
            o->stdin_script = true;
        else
            o->file = argv[i];
    }
    /* sys.argv[0]: -c, -m, the file, - or nothing */
    static char *none[] = {"", NULL};
    if (o->command || o->module) {
        o->argc = argc - i + 1;
        o->argv = calloc((size_t)o->argc + 1, sizeof *o->argv);
        o->argv[0] = o->command ? "-c" : "-m";
        for (int k = 1; k < o->argc; k++)
            o->argv[k] = argv[i + k - 1];
    } else if (i < argc) {
        o->argv = argv + i;
        o->argc = argc - i;
    } else {
        o->argv = none;
        o->argc = 1;
    }
    env_flag(&sys_flags.optimize, "PYTHONOPTIMIZE");
    env_flag(&sys_flags.dont_write_bytecode, "PYTHONDONTWRITEBYTECODE");
    sys_flags.dont_write_bytecode = sys_flags.dont_write_bytecode != 0;
    env_flag(&sys_flags.no_user_site, "PYTHONNOUSERSITE");
    env_flag(&sys_flags.inspect, "PYTHONINSPECT");
    env_flag(&sys_flags.debug, "PYTHONDEBUG");
    env_flag(&sys_flags.verbose, "PYTHONVERBOSE");
    env_flag(&sys_flags.dev_mode, "PYTHONDEVMODE");
    env_flag(&sys_flags.safe_path, "PYTHONSAFEPATH");
    const char *e = sys_flags.ignore_environment ? NULL : getenv("PYTHONUNBUFFERED");
    if (e && *e)
        o->unbuffered = true;
    e = sys_flags.ignore_environment ? NULL : getenv("PYTHONFAULTHANDLER");
    o->faulthandler = o->faulthandler || sys_flags.dev_mode || (e && *e);
    e = sys_flags.ignore_environment ? NULL : getenv("PYTHONINTMAXSTRDIGITS");
    bool by_option = false;
    for (int k = 0; k < o->n_x; k++)
        by_option |= strncmp(o->x[k], "int_max_str_digits", 18) == 0;
    if (e && *e && !by_option) {
        char *end;
        long n = strtol(e, &end, 10);
        if (*end || n < 0 || (n && n < 640) || n > INT_MAX) {
            fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: PYTHONINTMAXSTRDIGITS: invalid limit; "
                            "must be >= 640 or 0 "
                            "for unlimited.\nPython runtime state: preinitialized\n");
            return 1;
        }
        sys_flags.int_max_str_digits = (int)n;
    }
    e = sys_flags.ignore_environment || o->hash_random ? NULL : getenv("PYTHONHASHSEED");
    if (e && *e && strcmp(e, "random") != 0) {
        char *end;
        unsigned long seed = strtoul(e, &end, 10);
        if (*end || seed > UINT32_MAX) {
            fprintf(stderr,
                    "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in "
                    "range [0; 4294967295]\nPython runtime state: preinitialized\n");
            return 1;
        }
        hash_seed((uint32_t)seed);
        sys_flags.hash_randomization = seed != 0;
    }
    return -1;
}

/* ---- running ---- */

/* Prints the pending exception as the end of the program. The exit status; *interrupted: KeyboardInterrupt. */
static int report(bool *interrupted) {
    if (err_matches(&exc_SystemExit)) {
        Value e = err_fetch(), code = ABSENT;
        if (obj_lookup_attr(e, ID("code"), &code) <= 0) {
            err_clear();
            code = V_NONE;
        }
        int status = 0;
        if (code == V_NONE)
            status = 0;
        else if (v_is_integer(code)) {
            int64_t n;
            if (num_as_i64(code, &n) < 0) {
                err_clear();
                n = -1;
            }
            status = (int)(n & 0xff);
        } else {
            Value err = sys_get("stderr"), text = obj_str(code);
            sys_flush_streams();
            if (text && err && err != V_NONE) {
                Value line = str_format_c("%S\n", text), a[] = {line},
                      r = line ? obj_call_method(err, ID("write"), a, 1) : ABSENT;
                release(line);
                release(r);
            }
            err_clear();
            release(err);
            release(text);
            status = 1;
        }
        release(code);
        release(e);
        return status;
    }
    *interrupted = err_matches(&exc_KeyboardInterrupt);
    repl_print_error();
    return 1;
}

static int insert_path0(const char *dir) {
    Value path = sys_get("path"), d = str_decode_fs(dir, strlen(dir));
    int r = path && d && v_is_list(path) ? list_insert(path, 0, d) : -1;
    release(path);
    release(d);
    return r;
}
static int set_path0(const char *dir) {
    return sys_flags.safe_path ? 0 : insert_path0(dir);
}

static Value main_module(void) {
    Value m = import_add_module(ID("__main__"));
    if (!m)
        return ABSENT;
    Value b = dict_get_str(import_modules(), "builtins"), annotations = dict_new();
    bool made = b && annotations && dict_set(module_dict(m), ID("__annotations__"), annotations) == 0 &&
                dict_set(module_dict(m), ID("__builtins__"), b) == 0;
    release(annotations);
    release(b);
    if (!made)
        return ABSENT;
    Value finder = ABSENT, meta = sys_get("meta_path");
    if (meta && v_is_list(meta) && list_len(meta) > 0)
        finder = list_get(meta, 0);
    if (finder && dict_set(module_dict(m), ID("__loader__"), finder) < 0)
        err_clear();
    release(finder);
    release(meta);
    return m;
}

static int run_text(Value main, const char *text, size_t n, const char *shown) {
    Value filename = str_from_c(shown), d = module_dict(main);
    Arena a;
    arena_init(&a);
    Value code = ABSENT, r = ABSENT;
    if (filename && source_to_utf8(text, n, filename, &a, &text, &n) == 0)
        code = compile_source(text, n, filename, PARSE_EXEC, PARSE_IGNORE_COOKIE, sys_flags.optimize);
    arena_free(&a);
    if (code)
        r = interp_exec(code, d, d, ABSENT);
    release(filename);
    release(code);
    release(r);
    return r ? 0 : -1;
}

static int run_stdin(Value main) {
    size_t n = 0, cap = 65536;
    char *buf = malloc(cap);
    DETACHED_BEGIN
    for (;;) {
        if (buf && n == cap) {
            char *p = realloc(buf, cap *= 2);
            if (!p)
                free(buf);
            buf = p;
        }
        if (!buf)
            break;
        ssize_t k = read(0, buf + n, cap - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        n += (size_t)k;
    }
    DETACHED_END
    if (!buf) {
        err_no_memory();
        return -1;
    }
    Value name = str_from_c("<stdin>"), d = module_dict(main);
    bool named = name && dict_set(d, ID("__file__"), name) == 0 && dict_set(d, ID("__cached__"), V_NONE) == 0;
    release(name);
    int r = named ? run_text(main, buf, n, "<stdin>") : -1;
    free(buf);
    return r;
}

static int run_module_as_main(const char *name, bool alter_argv) {
    Value f = import_attr("runpy", "_run_module_as_main");
    if (!f) {
        fprintf(stderr, "Could not import runpy._run_module_as_main\n");
        return -1;
    }
    Value text = str_from_c(name), r = text ? obj_call2(f, text, v_bool(alter_argv)) : ABSENT;
    release(text);
    release(f);
    release(r);
    return r ? 0 : -1;
}

static int run_file(const StartOptions *o, Value main, int *status) {
    const char *file = repl_absolute(o->file); /* so that __file__ holds when the program changes its directory */
    struct stat st;
    if (stat(file, &st) < 0) {
        fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n", o->executable, file, errno, strerror(errno));
        *status = 2;
        return 0;
    }
    if (S_ISDIR(st.st_mode) || repl_is_zip(file)) {
        if (insert_path0(file) < 0) /* what is run itself, in isolated mode too */
            return -1;
        if (S_ISDIR(st.st_mode)) {
            char init[4200];
            snprintf(init, sizeof init, "%s/__main__.py", file);
            if (access(init, R_OK) < 0) {
                fprintf(stderr, "%s: can't find '__main__' module in '%s'\n", o->executable, file);
                *status = 1;
                return 0;
            }
        }
        return run_module_as_main("__main__", false);
    }
    char dir[4200], real[4200];
    if (!realpath(file, real))
        snprintf(real, sizeof real, "%s", file);
    /* the script's own directory, behind symbolic links */
    char *slash = strrchr(real, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - real) : 0, real);
    if (slash == real)
        strcpy(dir, "/");
    if (set_path0(dir) < 0)
        return -1;
    if (access(file, R_OK) < 0) {
        fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n", o->executable, file, errno, strerror(errno));
        *status = 2;
        return 0;
    }
    if (o->skip_first_line)
        return repl_run_skipping(file, main);
    return import_run_file(file, main);
}

static int import_site(void) {
    if (sys_flags.no_site)
        return 0;
    if (!import_builtin_spec("posix"))
        return 0; /* a build without it has no os module */
    Value site = import_module("site");
    Value r = site ? obj_call_method_str(site, "main", NULL, 0) : ABSENT;
    release(site);
    release(r);
    return r ? 0 : -1;
}

static int enable_faulthandler(void) {
    Value m = import_module("faulthandler"), r = m ? obj_call_method_str(m, "enable", NULL, 0) : ABSENT;
    release(m);
    release(r);
    return r ? 0 : -1;
}

int main(int argc, char **argv) {
    StartOptions o = {0};
    int status = parse_command_line(argc, argv, &o);
    if (status >= 0)
        return status;
    start_init(&o);
    Value main = main_module();
    bool interrupted = false;
    status = 0;
    int r = main && (!o.faulthandler || enable_faulthandler() == 0) ? import_site() : -1;
    if (r == 0 && o.n_warn + sys_flags.bytes_warning + sys_flags.dev_mode > 0) {
        Value w = import_module("warnings");
        if (!w)
            err_clear();
        release(w);
    }
    bool tty = isatty(0);
    bool interactive = !o.command && !o.module && !o.file && (tty || sys_flags.interactive);
    torture_begin();
    if (r == 0) {
        if (o.command) {
            r = set_path0("");
            if (r == 0)
                r = run_text(main, o.command, strlen(o.command), "<string>");
        } else if (o.module) {
            char cwd[4096];
            r = set_path0(getcwd(cwd, sizeof cwd) ? cwd : ".");
            if (r == 0)
                r = run_module_as_main(o.module, true);
        } else if (o.file)
            r = run_file(&o, main, &status);
        else {
            r = set_path0("");
            if (r == 0 && interactive)
                status = repl_run(main, !sys_flags.quiet);
            else if (r == 0)
                r = run_stdin(main);
        }
    }
    const char *env = sys_flags.ignore_environment ? NULL : getenv("PYTHONINSPECT");
    bool inspect = (sys_flags.inspect || (env && *env)) && !interactive;
    if (r < 0) {
        bool exits = err_matches(&exc_SystemExit);
        if (inspect && exits)
            repl_print_error();
        else
            status = report(&interrupted);
    }
    if (inspect) {
        interrupted = false;
        status = repl_run(main, false);
    }
    release(main);
    status = start_finish(&o, status);
    if (interrupted) { /* as a program that does not catch SIGINT: shells look at how we died */
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    fflush(NULL);
    _exit(status);
}
