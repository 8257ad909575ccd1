/* The interactive prompt: line editing and history by libedit's readline interface when standard input is a terminal.
 */
#include "runtime/repl.h"

#include <editline/readline.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "front/arena.h"
#include "front/compile.h"
#include "interp/interp.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/import.h"
#include "runtime/start.h"

void excepthook_default(Value exc, Value tb);

void repl_print_error(void) {
    Value e = err_fetch();
    if (!e)
        return;
    Value tb = exc_traceback(e);
    sys_set("last_type", retained(V_OF(type_of(e))));
    sys_set("last_value", retained(e));
    sys_set("last_traceback", retained(tb));
    Value out = sys_get("stdout");
    if (out && out != V_NONE) {
        Value f = obj_call_method(out, ID("flush"), NULL, 0);
        if (!f)
            err_clear();
        release(f);
    }
    release(out);
    Value hook = sys_get("excepthook");
    if (hook) {
        Value r = obj_call3(hook, V_OF(type_of(e)), e, tb);
        if (!r) {
            Value second = err_fetch();
            if (second && type_is_subtype(type_of(second), &exc_SystemExit)) {
                Value code = ABSENT;
                obj_lookup_attr(second, ID("code"), &code);
                err_clear();
                release(code);
            }
            sys_flush_streams();
            fprintf(stderr, "Error in sys.excepthook:\n");
            Value stb = second ? exc_traceback(second) : V_NONE;
            if (second)
                excepthook_default(second, stb);
            fprintf(stderr, "\nOriginal exception was:\n");
            excepthook_default(e, tb);
            release(stb);
            release(second);
        }
        release(r);
    } else {
        fprintf(stderr, "sys.excepthook is missing\n");
        excepthook_default(e, tb);
    }
    release(hook);
    release(tb);
    release(e);
    err_clear();
    sys_flush_streams();
}

const char *repl_absolute(const char *path) {
    static char buf[PATH_MAX * 2];
    char cwd[PATH_MAX];
    if (*path == '/' || !getcwd(cwd, sizeof cwd))
        return path;
    snprintf(buf, sizeof buf, "%s/%s", cwd, path);
    return buf;
}
bool repl_is_zip(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char end[4] = "";
    bool zip = fseek(f, -22, SEEK_END) == 0 && fread(end, 1, 4, f) == 4 && memcmp(end, "PK\5\6", 4) == 0;
    fclose(f);
    return zip;
}
int repl_run_skipping(const char *path, Value main) {
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t n = 0;
    if (!f) {
        err_errno();
        return -1;
    }
    FILE *mem = open_memstream(&text, &n);
    int c;
    while ((c = getc(f)) != EOF && c != '\n')
        ;
    putc('\n', mem); /* so that line numbers stay right */
    while ((c = getc(f)) != EOF)
        putc(c, mem);
    fclose(f);
    fclose(mem);
    Value name = str_decode_fs(path, strlen(path)), d = module_dict(main), code = ABSENT, r = ABSENT;
    Arena a;
    arena_init(&a);
    const char *utf8;
    size_t len;
    if (name && source_to_utf8(text, n, name, &a, &utf8, &len) == 0)
        code = compile_source(utf8, len, name, PARSE_EXEC, PARSE_IGNORE_COOKIE, sys_flags.optimize);
    arena_free(&a);
    free(text);
    if (code && dict_set(d, ID("__file__"), name) == 0)
        r = interp_exec(code, d, d, ABSENT);
    release(name);
    release(code);
    release(r);
    return r ? 0 : -1;
}

/* ---- lines ---- */

static char *finished_line;
static bool line_done;
static void take_line(char *line) {
    finished_line = line;
    line_done = true;
    rl_callback_handler_remove();
}

static char history_file[PATH_MAX];
static void history_start(void) {
    static bool started;
    if (started)
        return;
    started = true;
    rl_readline_name = "python";
    using_history();
    const char *home = getenv("HOME");
    if (home) {
        snprintf(history_file, sizeof history_file, "%s/.python_history", home);
        read_history(history_file);
    }
}

char *repl_read_line(const char *prompt) {
    history_start();
    line_done = false;
    finished_line = NULL;
    rl_callback_handler_install(prompt, take_line);
    while (!line_done) {
        int n, err = 0;
        DETACHED_BEGIN
        struct pollfd p = {.fd = 0, .events = POLLIN};
        n = poll(&p, 1, -1);
        err = errno;
        DETACHED_END
        if (n < 0 && err == EINTR) {
            if (excl_poll() < 0) {
                rl_callback_handler_remove();
                printf("\n");
                fflush(stdout);
                return NULL;
            }
            continue;
        }
        if (n > 0)
            rl_callback_read_char();
    }
    if (!finished_line)
        return NULL;
    if (*finished_line) {
        HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
        if (!last || strcmp(last->line, finished_line) != 0)
            add_history(finished_line);
        if (*history_file)
            write_history(history_file);
    }
    size_t n = strlen(finished_line);
    char *line = realloc(finished_line, n + 2);
    if (line)
        strcpy(line + n, "\n");
    return line;
}

/* A line without editing; a NULL at the end of input or with an exception. */
static char *plain_line(const char *prompt) {
    fputs(prompt, stderr);
    fflush(stderr);
    char *buf = NULL;
    size_t n = 0, cap = 0;
    for (;;) {
        char c;
        ssize_t k;
        DETACHED_BEGIN
        k = read(0, &c, 1);
        DETACHED_END
        if (k < 0 && errno == EINTR) {
            if (excl_poll() < 0) {
                free(buf);
                return NULL;
            }
            continue;
        }
        if (k <= 0)
            break;
        if (n + 2 > cap) {
            char *p = realloc(buf, cap = cap ? cap * 2 : 128);
            if (!p)
                break;
            buf = p;
        }
        buf[n++] = c;
        if (c == '\n')
            break;
    }
    if (n == 0) {
        free(buf);
        return NULL;
    }
    buf[n] = 0;
    return buf;
}

static char *prompt_text(const char *name, const char *dflt) {
    Value v = sys_get(name), s = v ? obj_str(v) : ABSENT;
    const char *text = s ? str_utf8(s, NULL) : NULL;
    char *r = strdup(text ? text : dflt);
    err_clear();
    release(v);
    release(s);
    return r;
}
static char *next_line(bool tty, bool first) {
    char *prompt = prompt_text(first ? "ps1" : "ps2", first ? ">>> " : "... ");
    char *line = tty ? repl_read_line(prompt) : plain_line(prompt);
    free(prompt);
    return line;
}

/* ---- statements ---- */

static bool incomplete(void) {
    if (!err_matches(&exc_SyntaxError))
        return false;
    Value e = thread_self()->exc, msg = ref_peek(&((SyntaxErrorExc *)e)->msg);
    return msg && v_is_str(msg) && str_equal_c(msg, "incomplete input");
}
static bool blank(const char *s) {
    while (*s == ' ' || *s == '\t' || *s == '\f')
        s++;
    return *s == '\n' || *s == 0 || *s == '#';
}

/* Code of the next statement; ABSENT with an exception, or at the end of input (*end). */
static Value read_statement(bool tty, bool *end) {
    char *text = NULL;
    size_t n = 0;
    *end = false;
    for (;;) {
        char *line = next_line(tty, text == NULL);
        if (!line && err_pending()) {
            free(text);
            return ABSENT;
        }
        if (!line && !text) {
            *end = true;
            return ABSENT;
        }
        if (line && !text && blank(line)) {
            free(line);
            continue;
        }
        size_t k = line ? strlen(line) : 0;
        char *p = realloc(text, n + k + 1);
        if (!p) {
            free(line);
            free(text);
            return err_no_memory();
        }
        text = p;
        memcpy(text + n, line ? line : "", k + 1);
        n += k;
        bool at_end = line == NULL, empty = line && blank(line) && *line == '\n';
        free(line);
        /* A compound statement goes on until an empty line, as at CPython's prompt. */
        bool several = memchr(text, '\n', n - 1) != NULL && n > 1 && (char *)memchr(text, '\n', n) != text + n - 1;
        Value name = str_from_c("<stdin>");
        Value code =
            name ? compile_source(text, n, name, PARSE_SINGLE,
                                  PARSE_IGNORE_COOKIE | (at_end ? 0 : PARSE_DONT_IMPLY_DEDENT | PARSE_ALLOW_INCOMPLETE),
                                  sys_flags.optimize)
                 : ABSENT;
        release(name);
        (void)several;
        (void)empty;
        if (!code && !at_end && incomplete()) {
            err_clear();
            continue;
        }
        free(text);
        return code;
    }
}

int repl_run(Value main, bool banner) {
    bool tty = isatty(0);
    if (banner)
        fprintf(stderr,
                "Python %s on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n",
                start_version_text());
    Value ps1 = sys_get("ps1");
    if (!ps1) {
        sys_set("ps1", str_from_c(">>> "));
        sys_set("ps2", str_from_c("... "));
    }
    release(ps1);
    const char *startup = sys_flags.ignore_environment ? NULL : getenv("PYTHONSTARTUP");
    if (startup && *startup && import_run_file(startup, main) < 0)
        repl_print_error();
    sys_flags.inspect = 0;
    Value d = module_dict(main);
    for (;;) {
        bool end;
        Value code = read_statement(tty, &end);
        if (end) {
            if (tty)
                fputs("\n", stderr);
            return 0;
        }
        Value r = code ? interp_exec(code, d, d, ABSENT) : ABSENT;
        release(code);
        release(r);
        if (!r) {
            if (err_matches(&exc_SystemExit)) {
                Value e = err_fetch(), v;
                int status = 0;
                if (obj_lookup_attr(e, ID("code"), &v) > 0) {
                    int64_t n = 0;
                    if (v == V_NONE)
                        status = 0;
                    else if (v_is_integer(v) && num_as_i64(v, &n) == 0)
                        status = (int)(n & 0xff);
                    else {
                        Value s = obj_str(v);
                        const char *text = s ? str_utf8(s, NULL) : NULL;
                        sys_flush_streams();
                        fprintf(stderr, "%s\n", text ? text : "");
                        release(s);
                        status = 1;
                    }
                    release(v);
                }
                err_clear();
                release(e);
                return status;
            }
            if (err_matches(&exc_KeyboardInterrupt)) {
                err_clear();
                fputs("\nKeyboardInterrupt\n", stderr);
            } else
                repl_print_error();
        }
        sys_flush_streams();
    }
}

/* ---- input() ---- */

Value sys_input(Value prompt) {
    Value in = sys_get("stdin"), out = sys_get("stdout"), err = sys_get("stderr"), r = ABSENT, v = ABSENT;
    if (!in || in == V_NONE) {
        err_set(&exc_RuntimeError, "input(): lost sys.stdin");
        goto done;
    }
    if (!out || out == V_NONE) {
        err_set(&exc_RuntimeError, "input(): lost sys.stdout");
        goto done;
    }
    if (!err || err == V_NONE) {
        err_set(&exc_RuntimeError, "input(): lost sys.stderr");
        goto done;
    }
    v = obj_call_method(err, ID("flush"), NULL, 0);
    if (!v)
        err_clear();
    release(v);
    /* The terminal itself, when both streams are still it. */
    bool tty = isatty(0) && isatty(1);
    Value fno[] = {ABSENT, ABSENT};
    for (int i = 0; i < 2 && tty; i++) {
        fno[i] = obj_call_method(i ? out : in, ID("fileno"), NULL, 0);
        if (!fno[i])
            err_clear();
        tty = fno[i] == v_from_int(i);
        release(fno[i]);
    }
    if (tty) {
        Value p = prompt ? obj_str(prompt) : retained(ID(""));
        const char *text = p ? str_utf8(p, NULL) : NULL;
        v = text ? obj_call_method(out, ID("flush"), NULL, 0) : ABSENT;
        if (text && !v)
            err_clear();
        release(v);
        char *line = text ? repl_read_line(text) : NULL;
        release(p);
        if (line) {
            size_t n = strlen(line);
            r = str_from_utf8_lossy(line, n && line[n - 1] == '\n' ? n - 1 : n);
            free(line);
        } else if (!err_pending())
            err_set_none(&exc_EOFError);
        goto done;
    }
    if (prompt) {
        Value s = obj_str(prompt), a[] = {s};
        v = s ? obj_call_method(out, ID("write"), a, 1) : ABSENT;
        release(s);
        if (!v)
            goto done;
        release(v);
    }
    v = obj_call_method(out, ID("flush"), NULL, 0);
    if (!v)
        err_clear();
    release(v);
    v = obj_call_method(in, ID("readline"), NULL, 0);
    if (!v)
        goto done;
    if (!v_is_str(v))
        err_set(&exc_TypeError, "object.readline() returned non-string");
    else if (str_len(v) == 0)
        err_set(&exc_EOFError, "EOF when reading a line");
    else
        r = str_substr(v, 0, str_len(v) - (str_at(v, str_len(v) - 1) == '\n'));
    release(v);
done:
    release(in);
    release(out);
    release(err);
    return r;
}
