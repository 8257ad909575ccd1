/* posix: processes. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "object/float.h"
#include "posix.h"

static Type times_result_type, waitid_result_type, sched_param_type;
/* register_at_fork: lists of callables. */
static Value at_before = ABSENT, at_parent = ABSENT, at_child = ABSENT;

static Value os_error(int e) {
    errno = e;
    return err_errno();
}

#define ID_CALL(name)                                                              \
    static Value posix_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return int_from_i64((int64_t)name());                                      \
    }
ID_CALL(getpid)
ID_CALL(getppid)
ID_CALL(getuid)
ID_CALL(geteuid)
ID_CALL(getgid)
ID_CALL(getegid)
ID_CALL(getpgrp)

#define SET_ID(name)                                                               \
    static Value posix_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        int64_t id;                                                                \
        if (num_as_i64(args[0], &id) < 0)                                          \
            return ABSENT;                                                         \
        return name((uid_t)id) < 0 ? err_errno() : V_NONE;                         \
    }
SET_ID(setuid)
SET_ID(setgid)
SET_ID(seteuid)
SET_ID(setegid)
static Value posix_setreuid(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t a, b;
    if (num_as_i64(args[0], &a) < 0 || num_as_i64(args[1], &b) < 0)
        return ABSENT;
    return setreuid((uid_t)a, (uid_t)b) < 0 ? err_errno() : V_NONE;
}
static Value posix_setregid(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t a, b;
    if (num_as_i64(args[0], &a) < 0 || num_as_i64(args[1], &b) < 0)
        return ABSENT;
    return setregid((gid_t)a, (gid_t)b) < 0 ? err_errno() : V_NONE;
}
static Value posix_getpgid(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid;
    if (num_as_int(args[0], &pid) < 0)
        return ABSENT;
    pid_t r = getpgid(pid);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_getsid(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid;
    if (num_as_int(args[0], &pid) < 0)
        return ABSENT;
    pid_t r = getsid(pid);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_setpgid(Value self, Value *args, intptr_t nargs, Value kw) {
    int a, b;
    if (num_as_int(args[0], &a) < 0 || num_as_int(args[1], &b) < 0)
        return ABSENT;
    return setpgid(a, b) < 0 ? err_errno() : V_NONE;
}
static Value posix_setsid(Value self, Value *args, intptr_t nargs, Value kw) {
    return setsid() < 0 ? err_errno() : V_NONE;
}
static Value posix_setpgrp(Value self, Value *args, intptr_t nargs, Value kw) {
    return setpgid(0, 0) < 0 ? err_errno() : V_NONE;
}
static Value posix_getgroups(Value self, Value *args, intptr_t nargs, Value kw) {
    gid_t ids[1024];
    int n = getgroups(1024, ids);
    if (n < 0)
        return err_errno();
    Value list = list_new(n);
    for (int i = 0; list != ABSENT && i < n; i++)
        if (list_append_steal(list, int_from_i64(ids[i])) < 0) {
            release(list);
            return ABSENT;
        }
    return list;
}
static Value posix_tcgetpgrp(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    pid_t r = tcgetpgrp(fd);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_tcsetpgrp(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, pg;
    if (num_as_int(args[0], &fd) < 0 || num_as_int(args[1], &pg) < 0)
        return ABSENT;
    return tcsetpgrp(fd, pg) < 0 ? err_errno() : V_NONE;
}
static Value posix_kill(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, sig;
    if (num_as_int(args[0], &pid) < 0 || num_as_int(args[1], &sig) < 0)
        return ABSENT;
    if (kill(pid, sig) < 0)
        return err_errno();
    return excl_poll() < 0 ? ABSENT : V_NONE; /* a signal to ourselves is handled before the call returns */
}
static Value posix_killpg(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, sig;
    if (num_as_int(args[0], &pid) < 0 || num_as_int(args[1], &sig) < 0)
        return ABSENT;
    if (killpg(pid, sig) < 0)
        return err_errno();
    return excl_poll() < 0 ? ABSENT : V_NONE;
}
static Value posix_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    int status;
    if (num_as_int(args[0], &status) < 0)
        return ABSENT;
    _exit(status);
}
static Value posix_abort(Value self, Value *args, intptr_t nargs, Value kw) {
    abort();
}
static Value posix_nice(Value self, Value *args, intptr_t nargs, Value kw) {
    int inc;
    if (num_as_int(args[0], &inc) < 0)
        return ABSENT;
    errno = 0;
    int r = nice(inc);
    return r == -1 && errno ? err_errno() : v_from_int(r);
}
static Value posix_getpriority(Value self, Value *args, intptr_t nargs, Value kw) {
    int which, who;
    if (num_as_int(args[0], &which) < 0 || num_as_int(args[1], &who) < 0)
        return ABSENT;
    errno = 0;
    int r = getpriority((__priority_which_t)which, (id_t)who);
    return errno ? err_errno() : v_from_int(r);
}

/* ---- waiting ---- */

static Value posix_waitpid(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, options, status = 0, r, e;
    if (num_as_int(args[0], &pid) < 0 || num_as_int(args[1], &options) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, waitpid(pid, &status, options))
    return r < 0 ? os_error(e) : tuple_pack(2, v_from_int(r), v_from_int(status));
interrupted:
    return ABSENT;
}
static Value posix_wait(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a[2] = {v_from_int(-1), v_from_int(0)};
    return posix_waitpid(self, a, 2, ABSENT);
}
static Value rusage_tuple(const struct rusage *u) {
    Value cls = import_attr("resource", "struct_rusage");
    if (cls == ABSENT)
        return ABSENT;
    Value items[16] = {float_new((double)u->ru_utime.tv_sec + (double)u->ru_utime.tv_usec * 1e-6),
                       float_new((double)u->ru_stime.tv_sec + (double)u->ru_stime.tv_usec * 1e-6),
                       int_from_i64(u->ru_maxrss),
                       int_from_i64(u->ru_ixrss),
                       int_from_i64(u->ru_idrss),
                       int_from_i64(u->ru_isrss),
                       int_from_i64(u->ru_minflt),
                       int_from_i64(u->ru_majflt),
                       int_from_i64(u->ru_nswap),
                       int_from_i64(u->ru_inblock),
                       int_from_i64(u->ru_oublock),
                       int_from_i64(u->ru_msgsnd),
                       int_from_i64(u->ru_msgrcv),
                       int_from_i64(u->ru_nsignals),
                       int_from_i64(u->ru_nvcsw),
                       int_from_i64(u->ru_nivcsw)};
    Value t = tuple_from_steal(items, 16), r = t == ABSENT ? ABSENT : obj_call1(cls, t);
    release(t);
    release(cls);
    return r;
}
static Value wait4_any(int pid, int options) {
    int status = 0, r, e;
    struct rusage u;
    memset(&u, 0, sizeof u);
    BLOCKING_CALL(r, e, wait4(pid, &status, options, &u))
    if (r < 0)
        return os_error(e);
    Value usage = rusage_tuple(&u),
          t = usage == ABSENT ? ABSENT : tuple_pack(3, v_from_int(r), v_from_int(status), usage);
    release(usage);
    return t;
interrupted:
    return ABSENT;
}
static Value posix_wait3(Value self, Value *args, intptr_t nargs, Value kw) {
    int options;
    return num_as_int(args[0], &options) < 0 ? ABSENT : wait4_any(-1, options);
}
static Value posix_wait4(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, options;
    return num_as_int(args[0], &pid) < 0 || num_as_int(args[1], &options) < 0 ? ABSENT : wait4_any(pid, options);
}
static Value posix_waitid(Value self, Value *args, intptr_t nargs, Value kw) {
    int type, id, options, r, e;
    siginfo_t si;
    if (num_as_int(args[0], &type) < 0 || num_as_int(args[1], &id) < 0 || num_as_int(args[2], &options) < 0)
        return ABSENT;
    memset(&si, 0, sizeof si);
    BLOCKING_CALL(r, e, waitid((idtype_t)type, (id_t)id, &si, options))
    if (r < 0)
        return os_error(e);
    if (si.si_pid == 0)
        return V_NONE;
    Value v[5] = {v_from_int(si.si_pid), v_from_int(si.si_uid), v_from_int(si.si_signo), v_from_int(si.si_status),
                  v_from_int(si.si_code)};
    return structseq_new(&waitid_result_type, v, 5);
interrupted:
    return ABSENT;
}
#define WAIT_MACRO(name, convert)                                                  \
    static Value posix_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        int status;                                                                \
        return num_as_int(args[0], &status) < 0 ? ABSENT : convert(name(status));  \
    }
WAIT_MACRO(WIFEXITED, v_bool)
WAIT_MACRO(WIFSIGNALED, v_bool)
WAIT_MACRO(WIFSTOPPED, v_bool)
WAIT_MACRO(WIFCONTINUED, v_bool)
WAIT_MACRO(WCOREDUMP, v_bool)
WAIT_MACRO(WEXITSTATUS, v_from_int)
WAIT_MACRO(WTERMSIG, v_from_int)
WAIT_MACRO(WSTOPSIG, v_from_int)
static Value posix_waitstatus(Value self, Value *args, intptr_t nargs, Value kw) {
    int s;
    if (num_as_int(args[0], &s) < 0)
        return ABSENT;
    if (WIFEXITED(s))
        return v_from_int(WEXITSTATUS(s));
    if (WIFSIGNALED(s))
        return v_from_int(-WTERMSIG(s));
    if (WIFSTOPPED(s))
        return err_set(&exc_ValueError, "process stopped by delivery of signal %d", WSTOPSIG(s));
    return err_set(&exc_ValueError, "invalid wait status: %d", s);
}
static Value posix_pidfd_open(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, flags = 0;
    if (num_as_int(args[0], &pid) < 0 || (nargs > 1 && num_as_int(args[1], &flags) < 0))
        return ABSENT;
    long r = syscall(SYS_pidfd_open, pid, flags);
    return r < 0 ? err_errno() : v_from_int(r);
}

/* ---- fork ---- */

static int add_hook(Value *list, Value fn) {
    if (fn == ABSENT)
        return 0;
    if (!v_is_callable(fn)) {
        err_set(&exc_TypeError, "register_at_fork() argument must be callable, not %T", fn);
        return -1;
    }
    return list_append(*list, fn);
}
static Value posix_register_at_fork(Value self, Value *args, intptr_t nargs, Value kw) {
    Value before = arg_at(args, nargs, 0), child = arg_at(args, nargs, 1), parent = arg_at(args, nargs, 2);
    if (before == ABSENT && child == ABSENT && parent == ABSENT)
        return err_set(&exc_TypeError, "At least one argument is required.");
    return add_hook(&at_before, before) < 0 || add_hook(&at_child, child) < 0 || add_hook(&at_parent, parent) < 0
               ? ABSENT
               : V_NONE;
}
static void run_hooks(Value list, bool reverse) {
    Value copy = list_slice(list, 0, list_len(list));
    if (copy == ABSENT) {
        err_unraisable("in fork hooks", V_NONE);
        return;
    }
    intptr_t n = list_len(copy);
    for (intptr_t i = 0; i < n; i++) {
        Value f = list_get(copy, reverse ? n - 1 - i : i), r = f == ABSENT ? ABSENT : obj_call0(f);
        if (r == ABSENT)
            err_unraisable("", f);
        release(r);
        release(f);
    }
    release(copy);
}
void posix_before_fork(void) {
    if (at_before != ABSENT)
        run_hooks(at_before, true);
    thread_before_fork();
}
void posix_after_fork_parent(void) {
    thread_after_fork_parent();
    if (at_parent != ABSENT)
        run_hooks(at_parent, false);
}
void posix_after_fork_child(void) {
    thread_after_fork_child();
    if (at_child != ABSENT)
        run_hooks(at_child, false);
}
static Value posix_fork(Value self, Value *args, intptr_t nargs, Value kw) {
    posix_before_fork();
    pid_t pid = fork();
    int e = errno;
    if (pid == 0)
        posix_after_fork_child();
    else
        posix_after_fork_parent();
    return pid < 0 ? os_error(e) : v_from_int(pid);
}

/* ---- exec and spawn ---- */

/* A NULL-terminated array of C strings over bytes objects kept in *keep (a list). NULL with an exception. */
static char **string_array(Value seq, Value *keep) {
    Value t = seq_to_tuple(seq);
    *keep = list_new(0);
    char **v = NULL;
    if (t == ABSENT || *keep == ABSENT)
        goto fail;
    intptr_t n = tuple_len(t);
    v = calloc((size_t)n + 1, sizeof *v);
    if (!v) {
        err_no_memory();
        goto fail;
    }
    for (intptr_t i = 0; i < n; i++) {
        Value b = os_fspath_bytes(tuple_get(t, i));
        if (b == ABSENT)
            goto fail;
        v[i] = bytes_data(b);
        if (list_append_steal(*keep, b) < 0)
            goto fail;
    }
    release(t);
    return v;
fail:
    free(v);
    release(t);
    release(*keep);
    *keep = ABSENT;
    return NULL;
}
/* The environment of a mapping: "key=value" strings. */
static char **env_array(Value env, Value *keep) {
    Value items = obj_call_method_str(env, "items", NULL, 0), pairs = items == ABSENT ? ABSENT : seq_to_list(items);
    release(items);
    *keep = list_new(0);
    char **v = NULL;
    if (pairs == ABSENT || *keep == ABSENT)
        goto fail;
    intptr_t n = list_len(pairs);
    v = calloc((size_t)n + 1, sizeof *v);
    if (!v) {
        err_no_memory();
        goto fail;
    }
    for (intptr_t i = 0; i < n; i++) {
        Value pair = list_get(pairs, i), two = pair == ABSENT ? ABSENT : seq_to_tuple(pair), k = ABSENT, x = ABSENT,
              joined = ABSENT;
        release(pair);
        if (two != ABSENT && tuple_len(two) == 2) {
            k = os_fspath_bytes(tuple_get(two, 0));
            x = k == ABSENT ? ABSENT : os_fspath_bytes(tuple_get(two, 1));
        }
        if (x != ABSENT) {
            if (bytes_len(k) == 0 || memchr(bytes_data(k) + 1, '=', (size_t)bytes_len(k) - 1)) {
                err_set(&exc_ValueError, "illegal environment variable name");
            } else if ((joined = bytes_from(NULL, (size_t)(bytes_len(k) + bytes_len(x) + 1))) != ABSENT) {
                char *d = bytes_data(joined);
                memcpy(d, bytes_data(k), (size_t)bytes_len(k));
                d[bytes_len(k)] = '=';
                memcpy(d + bytes_len(k) + 1, bytes_data(x), (size_t)bytes_len(x));
            }
        }
        release(two);
        release(k);
        release(x);
        if (joined == ABSENT)
            goto fail;
        v[i] = bytes_data(joined);
        if (list_append_steal(*keep, joined) < 0)
            goto fail;
    }
    release(pairs);
    return v;
fail:
    if (!err_pending())
        err_set(&exc_TypeError, "env must be a mapping object");
    free(v);
    release(pairs);
    release(*keep);
    *keep = ABSENT;
    return NULL;
}
extern char **environ;
static Value exec_any(Value path, Value argv, Value env, const char *name) {
    Path p;
    Value keep_a = ABSENT, keep_e = ABSENT;
    if (!v_is_list(argv) && !v_is_tuple(argv))
        return err_set(&exc_TypeError, "%s: argv must be a tuple or list", name);
    if (path_arg(path, &p, name, env != ABSENT, false) < 0)
        return ABSENT;
    char **a = string_array(argv, &keep_a), **e = environ;
    if (!a)
        goto fail;
    if (!a[0]) {
        err_set(&exc_ValueError, "%s: argv must not be empty", name);
        goto fail;
    }
    if (!a[0][0]) {
        err_set(&exc_ValueError, "%s: argv first element cannot be empty", name);
        goto fail;
    }
    if (env != ABSENT && !(e = env_array(env, &keep_e)))
        goto fail;
    if (p.s)
        execve(p.s, a, e);
    else
        fexecve(p.fd, a, e);
    path_error(&p, errno);
    if (env != ABSENT)
        free(e);
fail:
    free(a);
    release(keep_a);
    release(keep_e);
    path_free(&p);
    return ABSENT;
}
static Value posix_execv(Value self, Value *args, intptr_t nargs, Value kw) {
    return exec_any(args[0], args[1], ABSENT, "execv");
}
static Value posix_execve(Value self, Value *args, intptr_t nargs, Value kw) {
    return exec_any(args[0], args[1], args[2], "execve");
}

/* file_actions of posix_spawn: 0, -1. */
static int spawn_actions(Value seq, posix_spawn_file_actions_t *fa) {
    Value t = seq_to_tuple(seq);
    if (t == ABSENT)
        return -1;
    int bad = -1;
    for (intptr_t i = 0; i < tuple_len(t); i++) {
        Value a = tuple_get(t, i);
        int kind, fd, r = 0;
        if (!v_is_tuple(a) || tuple_len(a) < 2 || num_as_int(tuple_get(a, 0), &kind) < 0 ||
            num_as_int(tuple_get(a, 1), &fd) < 0) {
            if (!err_pending())
                err_set(&exc_TypeError, "Each file_actions element must be a non-empty tuple");
            goto done;
        }
        if (kind == 0 && tuple_len(a) == 5) {
            int flags, mode;
            Value path = os_fspath_bytes(tuple_get(a, 2));
            if (path == ABSENT || num_as_int(tuple_get(a, 3), &flags) < 0 || num_as_int(tuple_get(a, 4), &mode) < 0) {
                release(path);
                goto done;
            }
            r = posix_spawn_file_actions_addopen(fa, fd, bytes_data(path), flags, (mode_t)mode);
            release(path);
        } else if (kind == 1 && tuple_len(a) == 2) {
            r = posix_spawn_file_actions_addclose(fa, fd);
        } else if (kind == 2 && tuple_len(a) == 3) {
            int fd2;
            if (num_as_int(tuple_get(a, 2), &fd2) < 0)
                goto done;
            r = posix_spawn_file_actions_adddup2(fa, fd, fd2);
        } else {
            err_set(&exc_TypeError, "Unknown file_actions identifier");
            goto done;
        }
        if (r) {
            os_error(r);
            goto done;
        }
    }
    bad = 0;
done:
    release(t);
    return bad;
}
static int signal_set(Value v, sigset_t *set) {
    Value t = seq_to_tuple(v);
    if (t == ABSENT)
        return -1;
    sigemptyset(set);
    for (intptr_t i = 0; i < tuple_len(t); i++) {
        int s;
        if (num_as_int(tuple_get(t, i), &s) < 0 || sigaddset(set, s) < 0) {
            if (!err_pending())
                err_set(&exc_ValueError, "signal number %d out of range", s);
            release(t);
            return -1;
        }
    }
    release(t);
    return 0;
}
static Value spawn_any(Value *args, intptr_t nargs, bool search) {
    const char *name = search ? "posix_spawnp" : "posix_spawn";
    Value actions = arg_at(args, nargs, 3), pgroup = arg_at(args, nargs, 4), resetids = arg_at(args, nargs, 5),
          session = arg_at(args, nargs, 6), mask = arg_at(args, nargs, 7), def = arg_at(args, nargs, 8);
    Path p;
    Value keep_a = ABSENT, keep_e = ABSENT, result = ABSENT;
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    short flags = 0;
    sigset_t set;
    int n;
    char **a = NULL, **e = NULL;
    if (path_arg(args[0], &p, name, false, false) < 0)
        return ABSENT;
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&attr);
    if (!v_is_list(args[1]) && !v_is_tuple(args[1])) {
        err_set(&exc_TypeError, "%s: argv must be a tuple or list", name);
        goto done;
    }
    if (!(a = string_array(args[1], &keep_a)))
        goto done;
    if (!a[0] || !a[0][0]) {
        err_set(&exc_ValueError, a[0] ? "%s: argv first element cannot be empty" : "%s: argv must not be empty", name);
        goto done;
    }
    if (!(e = env_array(args[2], &keep_e)) ||
        (actions != ABSENT && actions != V_NONE && spawn_actions(actions, &fa) < 0))
        goto done;
    if (pgroup != ABSENT && pgroup != V_NONE) {
        if (num_as_int(pgroup, &n) < 0)
            goto done;
        posix_spawnattr_setpgroup(&attr, n);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if (resetids != ABSENT && obj_truth(resetids) > 0)
        flags |= POSIX_SPAWN_RESETIDS;
    if (session != ABSENT && obj_truth(session) > 0)
        flags |= POSIX_SPAWN_SETSID;
    if (mask != ABSENT && mask != V_NONE) {
        if (signal_set(mask, &set) < 0)
            goto done;
        posix_spawnattr_setsigmask(&attr, &set);
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (def != ABSENT && def != V_NONE) {
        if (signal_set(def, &set) < 0)
            goto done;
        posix_spawnattr_setsigdefault(&attr, &set);
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    posix_spawnattr_setflags(&attr, flags);
    pid_t pid;
    int r;
    DETACHED_BEGIN
    r = search ? posix_spawnp(&pid, p.s, &fa, &attr, a, e) : posix_spawn(&pid, p.s, &fa, &attr, a, e);
    DETACHED_END
    if (r)
        path_error(&p, r);
    else
        result = v_from_int(pid);
done:
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&attr);
    free(a);
    free(e);
    release(keep_a);
    release(keep_e);
    path_free(&p);
    return result;
}
static Value posix_spawn_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return spawn_any(args, nargs, false);
}
static Value posix_spawnp_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return spawn_any(args, nargs, true);
}

static Value posix_system(Value self, Value *args, intptr_t nargs, Value kw) {
    Value cmd = os_fspath_bytes(args[0]);
    if (cmd == ABSENT)
        return ABSENT;
    int r;
    DETACHED_BEGIN
    r = system(bytes_data(cmd));
    DETACHED_END
    release(cmd);
    return v_from_int(r);
}

/* ---- scheduling, times ---- */

static Value posix_times(Value self, Value *args, intptr_t nargs, Value kw) {
    struct tms t;
    clock_t c = times(&t);
    double hz = (double)sysconf(_SC_CLK_TCK);
    Value v[5] = {float_new((double)t.tms_utime / hz), float_new((double)t.tms_stime / hz),
                  float_new((double)t.tms_cutime / hz), float_new((double)t.tms_cstime / hz),
                  float_new((double)c / hz)};
    return structseq_new(&times_result_type, v, 5);
}
static Value posix_sched_yield(Value self, Value *args, intptr_t nargs, Value kw) {
    DETACHED_BEGIN
    sched_yield();
    DETACHED_END
    return V_NONE;
}
static Value posix_sched_getaffinity(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid;
    cpu_set_t set;
    if (num_as_int(args[0], &pid) < 0)
        return ABSENT;
    if (sched_getaffinity(pid, sizeof set, &set) < 0)
        return err_errno();
    Value s = set_new();
    for (int i = 0; s != ABSENT && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && set_add(s, v_from_int(i)) < 0) {
            release(s);
            return ABSENT;
        }
    return s;
}
static Value posix_sched_setaffinity(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (num_as_int(args[0], &pid) < 0)
        return ABSENT;
    Value t = seq_to_tuple(args[1]);
    if (t == ABSENT)
        return ABSENT;
    for (intptr_t i = 0; i < tuple_len(t); i++) {
        int c;
        if (num_as_int(tuple_get(t, i), &c) < 0 || c < 0 || c >= CPU_SETSIZE) {
            release(t);
            return err_pending() ? ABSENT : err_set(&exc_ValueError, "negative CPU number");
        }
        CPU_SET(c, &set);
    }
    release(t);
    return sched_setaffinity(pid, sizeof set, &set) < 0 ? err_errno() : V_NONE;
}
static Value posix_sched_priority_max(Value self, Value *args, intptr_t nargs, Value kw) {
    int p;
    if (num_as_int(args[0], &p) < 0)
        return ABSENT;
    int r = sched_get_priority_max(p);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_sched_priority_min(Value self, Value *args, intptr_t nargs, Value kw) {
    int p;
    if (num_as_int(args[0], &p) < 0)
        return ABSENT;
    int r = sched_get_priority_min(p);
    return r < 0 ? err_errno() : v_from_int(r);
}

const NativeDef posix_process_functions[] = {
    {"getpid", posix_getpid, "($module, /)"},
    {"getppid", posix_getppid, "($module, /)"},
    {"getuid", posix_getuid, "($module, /)"},
    {"geteuid", posix_geteuid, "($module, /)"},
    {"getgid", posix_getgid, "($module, /)"},
    {"getegid", posix_getegid, "($module, /)"},
    {"getpgrp", posix_getpgrp, "($module, /)"},
    {"setuid", posix_setuid, "($module, uid, /)"},
    {"setgid", posix_setgid, "($module, gid, /)"},
    {"seteuid", posix_seteuid, "($module, euid, /)"},
    {"setegid", posix_setegid, "($module, egid, /)"},
    {"setreuid", posix_setreuid, "($module, ruid, euid, /)"},
    {"setregid", posix_setregid, "($module, rgid, egid, /)"},
    {"getpgid", posix_getpgid, "($module, /, pid)"},
    {"getsid", posix_getsid, "($module, pid, /)"},
    {"setpgid", posix_setpgid, "($module, pid, pgrp, /)"},
    {"setsid", posix_setsid, "($module, /)"},
    {"setpgrp", posix_setpgrp, "($module, /)"},
    {"getgroups", posix_getgroups, "($module, /)"},
    {"tcgetpgrp", posix_tcgetpgrp, "($module, fd, /)"},
    {"tcsetpgrp", posix_tcsetpgrp, "($module, fd, pgid, /)"},
    {"kill", posix_kill, "($module, pid, signal, /)"},
    {"killpg", posix_killpg, "($module, pgid, signal, /)"},
    {"_exit", posix_exit, "($module, /, status)"},
    {"abort", posix_abort, "($module, /)"},
    {"nice", posix_nice, "($module, increment, /)"},
    {"getpriority", posix_getpriority, "($module, /, which, who)"},
    {"waitpid", posix_waitpid, "($module, pid, options, /)"},
    {"wait", posix_wait, "($module, /)"},
    {"wait3", posix_wait3, "($module, /, options)"},
    {"wait4", posix_wait4, "($module, /, pid, options)"},
    {"waitid", posix_waitid, "($module, idtype, id, options, /)"},
    {"WIFEXITED", posix_WIFEXITED, "($module, /, status)"},
    {"WIFSIGNALED", posix_WIFSIGNALED, "($module, /, status)"},
    {"WIFSTOPPED", posix_WIFSTOPPED, "($module, /, status)"},
    {"WIFCONTINUED", posix_WIFCONTINUED, "($module, /, status)"},
    {"WCOREDUMP", posix_WCOREDUMP, "($module, status, /)"},
    {"WEXITSTATUS", posix_WEXITSTATUS, "($module, /, status)"},
    {"WTERMSIG", posix_WTERMSIG, "($module, /, status)"},
    {"WSTOPSIG", posix_WSTOPSIG, "($module, /, status)"},
    {"waitstatus_to_exitcode", posix_waitstatus, "($module, /, status)"},
    {"pidfd_open", posix_pidfd_open, "($module, /, pid, flags=0)"},
    {"register_at_fork", posix_register_at_fork,
     "($module, /, *, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)"},
    {"fork", posix_fork, "($module, /)"},
    {"execv", posix_execv, "($module, path, argv, /)"},
    {"execve", posix_execve, "($module, /, path, argv, env)"},
    {"posix_spawn", posix_spawn_m,
     "($module, path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, "
     "setsigmask=(), "
     "setsigdef=(), scheduler=<unrepresentable>)"},
    {"posix_spawnp", posix_spawnp_m,
     "($module, path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, "
     "setsigmask=(), "
     "setsigdef=(), scheduler=<unrepresentable>)"},
    {"system", posix_system, "($module, /, command)"},
    {"times", posix_times, "($module, /)"},
    {"sched_yield", posix_sched_yield, "($module, /)"},
    {"sched_getaffinity", posix_sched_getaffinity, "($module, pid, /)"},
    {"sched_setaffinity", posix_sched_setaffinity, "($module, pid, mask, /)"},
    {"sched_get_priority_max", posix_sched_priority_max, "($module, /, policy)"},
    {"sched_get_priority_min", posix_sched_priority_min, "($module, /, policy)"},
    {NULL},
};

int posix_process_init(Value m) {
    static const StructSeqField times_fields[] = {{"user", "user time"},
                                                  {"system", "system time"},
                                                  {"children_user", "user time of children"},
                                                  {"children_system", "system time of children"},
                                                  {"elapsed", "elapsed time since an arbitrary point in the past"},
                                                  {NULL, NULL}};
    static const StructSeqField waitid_fields[] = {{"si_pid", NULL},    {"si_uid", NULL},  {"si_signo", NULL},
                                                   {"si_status", NULL}, {"si_code", NULL}, {NULL, NULL}};
    static const StructSeqField sched_fields[] = {{"sched_priority", "the scheduling priority"}, {NULL, NULL}};
    structseq_init(&times_result_type, "posix.times_result", "times_result: Result from os.times().", times_fields, 5);
    structseq_init(&waitid_result_type, "posix.waitid_result", "waitid_result: Result from waitid.", waitid_fields, 5);
    structseq_init(&sched_param_type, "posix.sched_param", "Currently has only one field: sched_priority", sched_fields,
                   1);
    at_before = list_new(0);
    at_parent = list_new(0);
    at_child = list_new(0);
    /* Kept by the module, so that they are found from a root. */
    return module_add(m, "_fork_hooks", tuple_pack(3, at_before, at_parent, at_child)) < 0 ||
                   module_add(m, "times_result", V_OF(&times_result_type)) < 0 ||
                   module_add(m, "waitid_result", V_OF(&waitid_result_type)) < 0 ||
                   module_add(m, "sched_param", V_OF(&sched_param_type)) < 0
               ? -1
               : 0;
}
