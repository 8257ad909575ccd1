/* _posixsubprocess: fork and exec with everything between them prepared before the fork: the child of a process with
 * threads may only call what is safe in a signal handler. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix.h"

typedef struct Child {
    char **exec_list, **argv, **env;
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    bool close_fds, restore_signals, call_setsid, set_groups, set_gid, set_uid;
    pid_t pgid;
    gid_t gid;
    uid_t uid;
    gid_t *groups;
    size_t n_groups;
    int *keep;
    size_t n_keep;
    Value preexec_fn;
} Child;

/* Moves a descriptor above the standard ones. */
static int above_standard(int fd) {
    if (fd < 0 || fd > 2)
        return fd;
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}
static bool put(int fd, int as) {
    if (fd < 0)
        return true;
    if (fd == as) {
        int f = fcntl(fd, F_GETFD);
        return f >= 0 && fcntl(fd, F_SETFD, f & ~FD_CLOEXEC) >= 0;
    }
    return dup2(fd, as) >= 0;
}
static void close_but(const int *keep, size_t n, int from) {
    for (size_t i = 0; i < n; i++) {
        if (keep[i] < from)
            continue;
        if (keep[i] > from)
            syscall(SYS_close_range, (unsigned)from, (unsigned)keep[i] - 1, 0);
        from = keep[i] + 1;
    }
    if (syscall(SYS_close_range, (unsigned)from, ~0u, 0) < 0)
        for (int fd = from; fd < 65536; fd++)
            close(fd);
}

/* Never returns. Reports to the error pipe as "ExceptionName:errno in hex:message". */
static void child_exec(const Child *c) {
    const char *what = "";
    int e;
    bool in_preexec = false;
    for (size_t i = 0; i < c->n_keep; i++)
        if (c->keep[i] != c->errpipe_write)
            fcntl(c->keep[i], F_SETFD, fcntl(c->keep[i], F_GETFD) & ~FD_CLOEXEC);
    if (c->p2cwrite >= 0)
        close(c->p2cwrite);
    if (c->c2pread >= 0)
        close(c->c2pread);
    if (c->errread >= 0)
        close(c->errread);
    close(c->errpipe_read);
    int out = c->c2pwrite == 0 ? above_standard(0) : c->c2pwrite;
    int err = c->errwrite;
    while (err == 0 || err == 1)
        err = above_standard(err);
    if (!put(c->p2cread, 0) || !put(out, 1) || !put(err, 2))
        goto fail;
    what = "noexec:chdir"; /* tells that not the program but its folder is missing */
    if (c->cwd && chdir(c->cwd) < 0)
        goto fail;
    what = "";
    if (c->restore_signals) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
    }
    if (c->call_setsid && setsid() < 0)
        goto fail;
    if (c->pgid >= 0 && setpgid(0, c->pgid) < 0)
        goto fail;
    if (c->set_groups && setgroups(c->n_groups, c->groups) < 0)
        goto fail;
    if (c->set_gid && setregid(c->gid, c->gid) < 0)
        goto fail;
    if (c->set_uid && setreuid(c->uid, c->uid) < 0)
        goto fail;
    if (c->preexec_fn != V_NONE) {
        in_preexec = true;
        Value r = obj_call0(c->preexec_fn);
        if (r == ABSENT)
            goto fail;
        release(r);
        in_preexec = false;
    }
    if (c->close_fds)
        close_but(c->keep, c->n_keep, 3);
    int saved = 0;
    for (char **p = c->exec_list; *p; p++) {
        if (c->env)
            execve(*p, c->argv, c->env);
        else
            execv(*p, c->argv);
        if (errno != ENOENT && errno != ENOTDIR && saved == 0)
            saved = errno;
    }
    if (saved)
        errno = saved;
fail:
    e = errno;
    char report[64];
    int n;
    if (in_preexec)
        n = snprintf(report, sizeof report, "SubprocessError:0:Exception occurred in preexec_fn.");
    else
        n = snprintf(report, sizeof report, "OSError:%X:%s", (unsigned)e, what);
    if (write(c->errpipe_write, report, (size_t)n) < 0)
        _exit(254);
    _exit(255);
}

/* A tuple or list of path-likes as C strings kept alive by *keep. */
static char **strings(Value seq, Value *keep) {
    Value t = seq_to_tuple(seq);
    *keep = list_new(0);
    if (t == ABSENT || *keep == ABSENT) {
        release(t);
        return NULL;
    }
    intptr_t n = tuple_len(t);
    char **v = calloc((size_t)n + 1, sizeof *v);
    for (intptr_t i = 0; v && i < n; i++) {
        Value b = os_fspath_bytes(tuple_get(t, i));
        if (b != ABSENT)
            v[i] = bytes_data(b);
        if (b == ABSENT || list_append_steal(*keep, b) < 0) {
            free(v);
            v = NULL;
        }
    }
    if (!v && !err_pending())
        err_no_memory();
    release(t);
    return v;
}
static int compare_ints(const void *a, const void *b) {
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static Value fork_exec(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs != 23)
        return err_set(&exc_TypeError, "fork_exec() takes exactly 23 arguments (%zd given)", (ssize_t)nargs);
    Child c = {0};
    Value keep_exec = ABSENT, keep_argv = ABSENT, keep_env = ABSENT, cwd = ABSENT, fds = ABSENT, result = ABSENT;
    int numbers[8], truth[4], pgid;
    const int flag_args[] = {2, 14, 15, 22};
    for (int i = 0; i < 8; i++)
        if (num_as_int(args[6 + i], &numbers[i]) < 0)
            return ABSENT;
    for (int i = 0; i < 4; i++)
        if ((truth[i] = obj_truth(args[flag_args[i]])) < 0)
            return ABSENT;
    if (num_as_int(args[16], &pgid) < 0)
        return ABSENT;
    c.p2cread = numbers[0];
    c.p2cwrite = numbers[1];
    c.c2pread = numbers[2];
    c.c2pwrite = numbers[3];
    c.errread = numbers[4];
    c.errwrite = numbers[5];
    c.errpipe_read = numbers[6];
    c.errpipe_write = numbers[7];
    c.close_fds = truth[0];
    c.restore_signals = truth[1];
    c.call_setsid = truth[2];
    c.pgid = pgid;
    c.preexec_fn = args[21];
    if (c.close_fds && c.errpipe_write < 3)
        return err_set(&exc_ValueError, "errpipe_write must be >= 3");
    fds = seq_to_tuple(args[3]);
    if (fds == ABSENT)
        return ABSENT;
    c.n_keep = (size_t)tuple_len(fds);
    c.keep = calloc(c.n_keep + 1, sizeof *c.keep);
    if (!c.keep) {
        err_no_memory();
        goto done;
    }
    for (size_t i = 0; i < c.n_keep; i++)
        if (num_as_int(tuple_get(fds, (intptr_t)i), &c.keep[i]) < 0 || c.keep[i] < 0) {
            err_clear();
            err_set(&exc_ValueError, "bad value(s) in fds_to_keep");
            goto done;
        }
    qsort(c.keep, c.n_keep, sizeof *c.keep, compare_ints);
    if (!(c.exec_list = strings(args[1], &keep_exec)))
        goto done;
    if (args[0] != V_NONE && !(c.argv = strings(args[0], &keep_argv)))
        goto done;
    if (args[5] != V_NONE && !(c.env = strings(args[5], &keep_env)))
        goto done;
    if (args[4] != V_NONE) {
        cwd = os_fspath_bytes(args[4]);
        if (cwd == ABSENT)
            goto done;
        c.cwd = bytes_data(cwd);
    }
    int64_t n;
    if (args[17] != V_NONE) {
        if (num_as_i64(args[17], &n) < 0)
            goto done;
        c.set_gid = true;
        c.gid = (gid_t)n;
    }
    if (args[18] != V_NONE) {
        Value g = seq_to_tuple(args[18]);
        if (g == ABSENT)
            goto done;
        c.set_groups = true;
        c.n_groups = (size_t)tuple_len(g);
        c.groups = calloc(c.n_groups + 1, sizeof *c.groups);
        for (size_t i = 0; c.groups && i < c.n_groups; i++) {
            if (num_as_i64(tuple_get(g, (intptr_t)i), &n) < 0) {
                release(g);
                goto done;
            }
            c.groups[i] = (gid_t)n;
        }
        release(g);
        if (!c.groups) {
            err_no_memory();
            goto done;
        }
    }
    if (args[19] != V_NONE) {
        if (num_as_i64(args[19], &n) < 0)
            goto done;
        c.set_uid = true;
        c.uid = (uid_t)n;
    }
    /* Signals wait until the child has its own handlers; a plain child needs no hooks, for it runs no Python code. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool hooks = c.preexec_fn != V_NONE;
    if (hooks)
        posix_before_fork();
    pid_t pid = fork();
    int e = errno;
    if (pid == 0) {
        if (hooks)
            posix_after_fork_child();
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        child_exec(&c);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (hooks)
        posix_after_fork_parent();
    if (pid < 0) {
        errno = e;
        err_errno();
    } else {
        result = v_from_int(pid);
    }
done:
    free(c.exec_list);
    free(c.argv);
    free(c.env);
    free(c.keep);
    free(c.groups);
    release(fds);
    release(keep_exec);
    release(keep_argv);
    release(keep_env);
    release(cwd);
    return result;
}

static const NativeDef functions[] = {{"fork_exec", fork_exec, "($module, *args)"}, {NULL}};
const ModuleSpec module__posixsubprocess = {
    .name = "_posixsubprocess", .doc = "A POSIX helper for the subprocess module.", .functions = functions};
