/* posix: constants, the environment, the system's description; the module itself. */
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "object/float.h"
#include "posix.h"

extern char **environ;
static Type uname_result_type;

static Value posix_uname(Value self, Value *args, intptr_t nargs, Value kw) {
    struct utsname u;
    if (uname(&u) < 0)
        return err_errno();
    Value v[5] = {str_from_c(u.sysname), str_from_c(u.nodename), str_from_c(u.release), str_from_c(u.version),
                  str_from_c(u.machine)};
    return structseq_new(&uname_result_type, v, 5);
}
static Value posix_strerror(Value self, Value *args, intptr_t nargs, Value kw) {
    int e;
    return num_as_int(args[0], &e) < 0 ? ABSENT : str_from_c(strerror(e));
}
static Value posix_cpu_count(Value self, Value *args, intptr_t nargs, Value kw) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? V_NONE : v_from_int(n);
}
static Value posix_getloadavg(Value self, Value *args, intptr_t nargs, Value kw) {
    double l[3];
    if (getloadavg(l, 3) != 3)
        return err_set(&exc_OSError, "Load averages are unobtainable");
    Value items[3] = {float_new(l[0]), float_new(l[1]), float_new(l[2])};
    return tuple_from_steal(items, 3);
}
static Value posix_getlogin(Value self, Value *args, intptr_t nargs, Value kw) {
    char buf[256];
    errno = getlogin_r(buf, sizeof buf);
    return errno ? err_errno() : str_decode_fs(buf, strlen(buf));
}

static Value posix_putenv(Value self, Value *args, intptr_t nargs, Value kw) {
    Value k = os_fspath_bytes(args[0]), v = k == ABSENT ? ABSENT : os_fspath_bytes(args[1]), r = ABSENT;
    if (v != ABSENT) {
        if (strchr(bytes_data(k), '='))
            err_set(&exc_ValueError, "illegal environment variable name");
        else if (setenv(bytes_data(k), bytes_data(v), 1) < 0)
            err_errno();
        else
            r = V_NONE;
    }
    release(k);
    release(v);
    return r;
}
static Value posix_unsetenv(Value self, Value *args, intptr_t nargs, Value kw) {
    Value k = os_fspath_bytes(args[0]);
    if (k == ABSENT)
        return ABSENT;
    int r = unsetenv(bytes_data(k));
    release(k);
    return r < 0 ? err_errno() : V_NONE;
}
static Value environment(void) {
    Value d = dict_new();
    for (char **e = environ; d != ABSENT && e && *e; e++) {
        const char *eq = strchr(*e, '=');
        if (!eq)
            continue;
        Value k = bytes_from(*e, (size_t)(eq - *e)), v = bytes_from(eq + 1, strlen(eq + 1));
        int bad = k == ABSENT || v == ABSENT;
        if (!bad && dict_contains(d, k) == 0)
            bad = dict_set(d, k, v) < 0;
        release(k);
        release(v);
        if (bad) {
            release(d);
            return ABSENT;
        }
    }
    return d;
}

typedef struct Constant {
    const char *name;
    long value;
} Constant;
#define C(n) {#n, n}
static const Constant sysconf_names[] = {{"SC_ARG_MAX", _SC_ARG_MAX},
                                         {"SC_CHILD_MAX", _SC_CHILD_MAX},
                                         {"SC_CLK_TCK", _SC_CLK_TCK},
                                         {"SC_IOV_MAX", _SC_IOV_MAX},
                                         {"SC_NGROUPS_MAX", _SC_NGROUPS_MAX},
                                         {"SC_NPROCESSORS_CONF", _SC_NPROCESSORS_CONF},
                                         {"SC_NPROCESSORS_ONLN", _SC_NPROCESSORS_ONLN},
                                         {"SC_OPEN_MAX", _SC_OPEN_MAX},
                                         {"SC_PAGESIZE", _SC_PAGESIZE},
                                         {"SC_PAGE_SIZE", _SC_PAGE_SIZE},
                                         {"SC_PHYS_PAGES", _SC_PHYS_PAGES},
                                         {"SC_AVPHYS_PAGES", _SC_AVPHYS_PAGES},
                                         {"SC_SEM_NSEMS_MAX", _SC_SEM_NSEMS_MAX},
                                         {"SC_SEM_VALUE_MAX", _SC_SEM_VALUE_MAX},
                                         {"SC_VERSION", _SC_VERSION},
                                         {"SC_HOST_NAME_MAX", _SC_HOST_NAME_MAX},
                                         {"SC_LOGIN_NAME_MAX", _SC_LOGIN_NAME_MAX},
                                         {"SC_THREAD_STACK_MIN", _SC_THREAD_STACK_MIN},
                                         {"SC_TTY_NAME_MAX", _SC_TTY_NAME_MAX},
                                         {"SC_GETPW_R_SIZE_MAX", _SC_GETPW_R_SIZE_MAX},
                                         {"SC_GETGR_R_SIZE_MAX", _SC_GETGR_R_SIZE_MAX},
                                         {"SC_STREAM_MAX", _SC_STREAM_MAX},
                                         {"SC_SYMLOOP_MAX", _SC_SYMLOOP_MAX},
                                         {"SC_TZNAME_MAX", _SC_TZNAME_MAX},
                                         {"SC_THREADS", _SC_THREADS},
                                         {"SC_SEMAPHORES", _SC_SEMAPHORES}};
static const Constant confstr_names[] = {{"CS_PATH", _CS_PATH},
                                         {"CS_GNU_LIBC_VERSION", _CS_GNU_LIBC_VERSION},
                                         {"CS_GNU_LIBPTHREAD_VERSION", _CS_GNU_LIBPTHREAD_VERSION}};
static const Constant pathconf_names[] = {{"PC_LINK_MAX", _PC_LINK_MAX},
                                          {"PC_MAX_CANON", _PC_MAX_CANON},
                                          {"PC_MAX_INPUT", _PC_MAX_INPUT},
                                          {"PC_NAME_MAX", _PC_NAME_MAX},
                                          {"PC_PATH_MAX", _PC_PATH_MAX},
                                          {"PC_PIPE_BUF", _PC_PIPE_BUF},
                                          {"PC_CHOWN_RESTRICTED", _PC_CHOWN_RESTRICTED},
                                          {"PC_NO_TRUNC", _PC_NO_TRUNC},
                                          {"PC_VDISABLE", _PC_VDISABLE},
                                          {"PC_SYMLINK_MAX", _PC_SYMLINK_MAX},
                                          {"PC_2_SYMLINKS", _PC_2_SYMLINKS},
                                          {"PC_FILESIZEBITS", _PC_FILESIZEBITS}};

/* The number that a name or number denotes: 0, -1. */
static int conf_arg(Value v, const Constant *names, size_t n, int *out) {
    if (v_is_integer(v))
        return num_as_int(v, out);
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "configuration names must be strings or integers");
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (str_equal_c(v, names[i].name)) {
            *out = (int)names[i].value;
            return 0;
        }
    err_set(&exc_ValueError, "unrecognized configuration name");
    return -1;
}
static Value posix_sysconf(Value self, Value *args, intptr_t nargs, Value kw) {
    int name;
    if (conf_arg(args[0], sysconf_names, ARRAY_LEN(sysconf_names), &name) < 0)
        return ABSENT;
    errno = 0;
    long r = sysconf(name);
    return r == -1 && errno ? err_errno() : int_from_i64(r);
}
static Value posix_confstr(Value self, Value *args, intptr_t nargs, Value kw) {
    int name;
    char buf[1024];
    if (conf_arg(args[0], confstr_names, ARRAY_LEN(confstr_names), &name) < 0)
        return ABSENT;
    errno = 0;
    size_t n = confstr(name, buf, sizeof buf);
    if (n == 0)
        return errno ? err_errno() : V_NONE;
    return str_decode_fs(buf, n - 1);
}
static Value posix_pathconf(Value self, Value *args, intptr_t nargs, Value kw) {
    int name;
    Path p;
    if (conf_arg(args[1], pathconf_names, ARRAY_LEN(pathconf_names), &name) < 0 ||
        path_arg(args[0], &p, "pathconf", true, false) < 0)
        return ABSENT;
    errno = 0;
    long r = p.s ? pathconf(p.s, name) : fpathconf(p.fd, name);
    if (r == -1 && errno)
        return path_error(&p, errno);
    path_free(&p);
    return int_from_i64(r);
}
static Value posix_openpty(Value self, Value *args, intptr_t nargs, Value kw) {
    int a, b;
    if (openpty(&a, &b, NULL, NULL, NULL) < 0)
        return err_errno();
    fcntl(a, F_SETFD, FD_CLOEXEC);
    fcntl(b, F_SETFD, FD_CLOEXEC);
    return tuple_pack(2, v_from_int(a), v_from_int(b));
}
static Value device(Value *args, int which) {
    int64_t d;
    if (num_as_i64(args[0], &d) < 0)
        return ABSENT;
    return int_from_i64(which == 0 ? (int64_t)major((dev_t)d) : (int64_t)minor((dev_t)d));
}
static Value posix_major(Value self, Value *args, intptr_t nargs, Value kw) {
    return device(args, 0);
}
static Value posix_minor(Value self, Value *args, intptr_t nargs, Value kw) {
    return device(args, 1);
}
static Value posix_makedev(Value self, Value *args, intptr_t nargs, Value kw) {
    int a, b;
    if (num_as_int(args[0], &a) < 0 || num_as_int(args[1], &b) < 0)
        return ABSENT;
    return int_from_u64(makedev((unsigned)a, (unsigned)b));
}

const NativeDef posix_system_functions[] = {
    {"uname", posix_uname, "($module, /)"},
    {"strerror", posix_strerror, "($module, code, /)"},
    {"cpu_count", posix_cpu_count, "($module, /)"},
    {"getloadavg", posix_getloadavg, "($module, /)"},
    {"getlogin", posix_getlogin, "($module, /)"},
    {"putenv", posix_putenv, "($module, name, value, /)"},
    {"unsetenv", posix_unsetenv, "($module, name, /)"},
    {"sysconf", posix_sysconf, "($module, name, /)"},
    {"confstr", posix_confstr, "($module, name, /)"},
    {"pathconf", posix_pathconf, "($module, /, path, name)"},
    {"fpathconf", posix_pathconf, "($module, fd, name, /)"},
    {"openpty", posix_openpty, "($module, /)"},
    {"major", posix_major, "($module, device, /)"},
    {"minor", posix_minor, "($module, device, /)"},
    {"makedev", posix_makedev, "($module, major, minor, /)"},
    {NULL},
};

static const Constant constants[] = {C(F_OK),
                                     C(R_OK),
                                     C(W_OK),
                                     C(X_OK),
                                     C(NGROUPS_MAX),
                                     C(TMP_MAX),
                                     C(WCONTINUED),
                                     C(WNOHANG),
                                     C(WUNTRACED),
                                     C(O_RDONLY),
                                     C(O_WRONLY),
                                     C(O_RDWR),
                                     C(O_NDELAY),
                                     C(O_NONBLOCK),
                                     C(O_APPEND),
                                     C(O_DSYNC),
                                     C(O_RSYNC),
                                     C(O_SYNC),
                                     C(O_NOCTTY),
                                     C(O_CREAT),
                                     C(O_EXCL),
                                     C(O_TRUNC),
                                     C(O_TMPFILE),
                                     C(O_PATH),
                                     C(O_LARGEFILE),
                                     C(O_DIRECT),
                                     C(O_DIRECTORY),
                                     C(O_NOFOLLOW),
                                     C(O_NOATIME),
                                     C(O_CLOEXEC),
                                     C(O_ACCMODE),
                                     C(O_ASYNC),
                                     C(PRIO_PROCESS),
                                     C(PRIO_PGRP),
                                     C(PRIO_USER),
                                     C(SEEK_DATA),
                                     C(SEEK_HOLE),
                                     C(WEXITED),
                                     C(WNOWAIT),
                                     C(WSTOPPED),
                                     C(CLD_EXITED),
                                     C(CLD_KILLED),
                                     C(CLD_DUMPED),
                                     C(CLD_TRAPPED),
                                     C(CLD_STOPPED),
                                     C(CLD_CONTINUED),
                                     C(P_PID),
                                     C(P_PGID),
                                     C(P_ALL),
                                     {"P_PIDFD", 3},
                                     {"P_NOWAIT", 1},
                                     {"P_NOWAITO", 1},
                                     {"P_WAIT", 0},
                                     C(F_LOCK),
                                     C(F_TLOCK),
                                     C(F_ULOCK),
                                     C(F_TEST),
                                     C(POSIX_FADV_NORMAL),
                                     C(POSIX_FADV_SEQUENTIAL),
                                     C(POSIX_FADV_RANDOM),
                                     C(POSIX_FADV_NOREUSE),
                                     C(POSIX_FADV_WILLNEED),
                                     C(POSIX_FADV_DONTNEED),
                                     C(SCHED_OTHER),
                                     C(SCHED_FIFO),
                                     C(SCHED_RR),
                                     C(SCHED_BATCH),
                                     C(SCHED_IDLE),
                                     C(SCHED_RESET_ON_FORK),
                                     C(XATTR_CREATE),
                                     C(XATTR_REPLACE),
                                     {"XATTR_SIZE_MAX", 65536},
                                     {"RTLD_NOW", 2},
                                     {"RTLD_GLOBAL", 256},
                                     {"RTLD_LOCAL", 0},
                                     {"RTLD_NODELETE", 4096},
                                     {"RTLD_NOLOAD", 4},
                                     {"RTLD_DEEPBIND", 8},
                                     C(GRND_RANDOM),
                                     C(GRND_NONBLOCK),
                                     {"POSIX_SPAWN_OPEN", 0},
                                     {"POSIX_SPAWN_CLOSE", 1},
                                     {"POSIX_SPAWN_DUP2", 2},
                                     C(ST_RDONLY),
                                     C(ST_NOSUID),
                                     C(ST_NODEV),
                                     C(ST_NOEXEC),
                                     C(ST_SYNCHRONOUS),
                                     C(ST_MANDLOCK),
                                     C(ST_WRITE),
                                     C(ST_APPEND),
                                     C(ST_NOATIME),
                                     C(ST_NODIRATIME),
                                     C(ST_RELATIME),
                                     C(EFD_CLOEXEC),
                                     C(EFD_NONBLOCK),
                                     C(EFD_SEMAPHORE),
                                     {"EX_OK", 0},
                                     {"EX_USAGE", 64},
                                     {"EX_DATAERR", 65},
                                     {"EX_NOINPUT", 66},
                                     {"EX_NOUSER", 67},
                                     {"EX_NOHOST", 68},
                                     {"EX_UNAVAILABLE", 69},
                                     {"EX_SOFTWARE", 70},
                                     {"EX_OSERR", 71},
                                     {"EX_OSFILE", 72},
                                     {"EX_CANTCREAT", 73},
                                     {"EX_IOERR", 74},
                                     {"EX_TEMPFAIL", 75},
                                     {"EX_PROTOCOL", 76},
                                     {"EX_NOPERM", 77},
                                     {"EX_CONFIG", 78},
                                     {"RTLD_LAZY", 1}};

static int add_names(Value m, const char *attr, const Constant *names, size_t n) {
    Value d = dict_new();
    for (size_t i = 0; d != ABSENT && i < n; i++)
        if (dict_set_str(d, names[i].name, v_from_int(names[i].value)) < 0) {
            release(d);
            d = ABSENT;
        }
    return module_add(m, attr, d);
}

/* What os.py asks for to fill supports_dir_fd and its like. */
static const char *const have[] = {
    "HAVE_FACCESSAT", "HAVE_FCHDIR",   "HAVE_FCHMOD",    "HAVE_FCHMODAT", "HAVE_FCHOWN",     "HAVE_FCHOWNAT",
    "HAVE_FDOPENDIR", "HAVE_FEXECVE",  "HAVE_FPATHCONF", "HAVE_FSTATAT",  "HAVE_FSTATVFS",   "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",  "HAVE_LINKAT",   "HAVE_LCHOWN",    "HAVE_LSTAT",    "HAVE_LUTIMES",    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",   "HAVE_MKFIFOAT", "HAVE_MKNODAT",   "HAVE_OPENAT",   "HAVE_READLINKAT", "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT"};

static int fill(Value m) {
    static const StructSeqField uname_fields[] = {
        {"sysname", "operating system name"},    {"nodename", "name of machine on network (implementation-defined)"},
        {"release", "operating system release"}, {"version", "operating system version"},
        {"machine", "hardware identifier"},      {NULL, NULL}};
    structseq_init(&uname_result_type, "posix.uname_result", "uname_result: Result from os.uname().", uname_fields, 5);
    static const NativeDef *const groups[] = {posix_file_functions, posix_dir_functions, posix_process_functions,
                                              posix_system_functions};
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (const NativeDef *d = groups[g]; d->name; d++)
            if (module_add(m, d->name, native_new(d, m, ID("posix"))) < 0)
                return -1;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (module_add_int(m, constants[i].name, constants[i].value) < 0)
            return -1;
    Value functions = list_new(0);
    for (size_t i = 0; functions != ABSENT && i < ARRAY_LEN(have); i++)
        if (list_append_steal(functions, str_from_c(have[i])) < 0)
            return -1;
    return module_add(m, "_have_functions", functions) < 0 || module_add(m, "environ", environment()) < 0 ||
                   module_add(m, "uname_result", V_OF(&uname_result_type)) < 0 ||
                   module_add(m, "error", V_OF(&exc_OSError)) < 0 ||
                   add_names(m, "sysconf_names", sysconf_names, ARRAY_LEN(sysconf_names)) < 0 ||
                   add_names(m, "confstr_names", confstr_names, ARRAY_LEN(confstr_names)) < 0 ||
                   add_names(m, "pathconf_names", pathconf_names, ARRAY_LEN(pathconf_names)) < 0 ||
                   posix_dir_init(m) < 0 || posix_process_init(m) < 0
               ? -1
               : 0;
}

const ModuleSpec module_posix = {
    .name = "posix",
    .doc = "This module provides access to operating system functionality that is\nstandardized by the C Standard and "
           "the POSIX standard (a "
           "thinly\ndisguised Unix interface).  Refer to the library manual and\ncorresponding Unix manual entries for "
           "more information on "
           "calls.",
    .exec = fill,
};
