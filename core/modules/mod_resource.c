/* resource: what the process has used, and what it may use. */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "object/float.h"
#include "object/int.h"
#include "object/module.h"
#include "object/structseq.h"
#include "object/tuple.h"

static Type rusage_type;

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static Value resource_getrusage(Value self, Value *args, intptr_t nargs, Value kw) {
    int who;
    struct rusage u;
    if (num_as_int(args[0], &who) < 0)
        return ABSENT;
    if (getrusage(who, &u) < 0)
        return errno == EINVAL ? err_set(&exc_ValueError, "invalid who parameter") : err_errno();
    const long counts[] = {u.ru_maxrss, u.ru_ixrss,    u.ru_idrss,   u.ru_isrss,   u.ru_minflt,
                           u.ru_majflt, u.ru_nswap,    u.ru_inblock, u.ru_oublock, u.ru_msgsnd,
                           u.ru_msgrcv, u.ru_nsignals, u.ru_nvcsw,   u.ru_nivcsw};
    Value v[2 + ARRAY_LEN(counts)] = {float_new(seconds(u.ru_utime)), float_new(seconds(u.ru_stime))};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        v[2 + i] = int_from_i64(counts[i]);
    return structseq_new(&rusage_type, v, ARRAY_LEN(v));
}

/* 0, -1 with exception. */
static int limit_number(Value v, int *out) {
    if (num_as_int(v, out) < 0)
        return -1;
    if (*out >= 0 && *out < RLIM_NLIMITS)
        return 0;
    err_set(&exc_ValueError, "invalid resource specified");
    return -1;
}
/* No limit is -1. */
static Value limits_to_tuple(const struct rlimit *l) {
    Value v[] = {int_from_i64((int64_t)l->rlim_cur), int_from_i64((int64_t)l->rlim_max)};
    if (v[0] != ABSENT && v[1] != ABSENT)
        return tuple_from_steal(v, 2);
    release(v[0]);
    release(v[1]);
    return ABSENT;
}
/* 0, -1 with exception. */
static int limits_from(Value v, struct rlimit *out) {
    Value pair = seq_to_tuple(v);
    if (pair == ABSENT)
        return -1;
    int64_t soft, hard;
    int r = -1;
    if (tuple_len(pair) != 2) {
        err_set(&exc_ValueError, "expected a tuple of 2 integers");
    } else if (num_as_i64(tuple_get(pair, 0), &soft) == 0 && num_as_i64(tuple_get(pair, 1), &hard) == 0) {
        *out = (struct rlimit){(rlim_t)soft, (rlim_t)hard};
        r = 0;
    }
    release(pair);
    return r;
}
static Value limit_error(void) {
    if (errno == EINVAL)
        return err_set(&exc_ValueError, "current limit exceeds maximum limit");
    return err_errno();
}

static Value resource_getrlimit(Value self, Value *args, intptr_t nargs, Value kw) {
    int number;
    struct rlimit l;
    if (limit_number(args[0], &number) < 0)
        return ABSENT;
    return getrlimit((__rlimit_resource_t)number, &l) < 0 ? err_errno() : limits_to_tuple(&l);
}
static Value resource_setrlimit(Value self, Value *args, intptr_t nargs, Value kw) {
    int number;
    struct rlimit l;
    if (limit_number(args[0], &number) < 0 || limits_from(args[1], &l) < 0)
        return ABSENT;
    if (setrlimit((__rlimit_resource_t)number, &l) == 0)
        return V_NONE;
    return errno == EPERM ? err_set(&exc_ValueError, "not allowed to raise maximum limit") : limit_error();
}
static Value resource_prlimit(Value self, Value *args, intptr_t nargs, Value kw) {
    int pid, number;
    struct rlimit wanted, old;
    if (num_as_int(args[0], &pid) < 0 || limit_number(args[1], &number) < 0)
        return ABSENT;
    Value limits = arg_at(args, nargs, 2);
    bool set = limits != ABSENT;
    if (set && limits_from(limits, &wanted) < 0)
        return ABSENT;
    return prlimit(pid, (__rlimit_resource_t)number, set ? &wanted : NULL, &old) < 0 ? limit_error()
                                                                                     : limits_to_tuple(&old);
}
static Value resource_getpagesize(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_i64(sysconf(_SC_PAGESIZE));
}

static const NativeDef functions[] = {
    {"getrusage", resource_getrusage, "($module, who, /)"},
    {"getrlimit", resource_getrlimit, "($module, resource, /)"},
    {"setrlimit", resource_setrlimit, "($module, resource, limits, /)"},
    {"prlimit", resource_prlimit, "($module, pid, resource, limits=<unrepresentable>, /)"},
    {"getpagesize", resource_getpagesize, "($module, /)"},
    {NULL}};

static int fill(Value m) {
    static const StructSeqField fields[] = {{"ru_utime", "user time used"},
                                            {"ru_stime", "system time used"},
                                            {"ru_maxrss", "max. resident set size"},
                                            {"ru_ixrss", "shared memory size"},
                                            {"ru_idrss", "unshared data size"},
                                            {"ru_isrss", "unshared stack size"},
                                            {"ru_minflt", "page faults not requiring I/O"},
                                            {"ru_majflt", "page faults requiring I/O"},
                                            {"ru_nswap", "number of swap outs"},
                                            {"ru_inblock", "block input operations"},
                                            {"ru_oublock", "block output operations"},
                                            {"ru_msgsnd", "IPC messages sent"},
                                            {"ru_msgrcv", "IPC messages received"},
                                            {"ru_nsignals", "signals received"},
                                            {"ru_nvcsw", "voluntary context switches"},
                                            {"ru_nivcsw", "involuntary context switches"},
                                            {NULL}};
    static const struct {
        const char *name;
        int value;
    } numbers[] = {{"RLIMIT_CPU", RLIMIT_CPU},
                   {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                   {"RLIMIT_DATA", RLIMIT_DATA},
                   {"RLIMIT_STACK", RLIMIT_STACK},
                   {"RLIMIT_CORE", RLIMIT_CORE},
                   {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                   {"RLIMIT_OFILE", RLIMIT_OFILE},
                   {"RLIMIT_AS", RLIMIT_AS},
                   {"RLIMIT_RSS", RLIMIT_RSS},
                   {"RLIMIT_NPROC", RLIMIT_NPROC},
                   {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                   {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                   {"RLIMIT_NICE", RLIMIT_NICE},
                   {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                   {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                   {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                   {"RLIM_INFINITY", (int)RLIM_INFINITY},
                   {"RUSAGE_SELF", RUSAGE_SELF},
                   {"RUSAGE_CHILDREN", RUSAGE_CHILDREN},
                   {"RUSAGE_THREAD", RUSAGE_THREAD}};
    structseq_init(&rusage_type, "resource.struct_rusage",
                   "struct_rusage: Result from getrusage.\n\n"
                   "This object may be accessed either as a tuple of\n"
                   "    (utime,stime,maxrss,ixrss,idrss,isrss,minflt,majflt,\n"
                   "    nswap,inblock,oublock,msgsnd,msgrcv,nsignals,nvcsw,nivcsw)\n"
                   "or via the attributes ru_utime, ru_stime, ru_maxrss, and so on.",
                   fields, 16);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (module_add_int(m, numbers[i].name, numbers[i].value) < 0)
            return -1;
    return module_add(m, "struct_rusage", V_OF(&rusage_type)) < 0 || module_add(m, "error", V_OF(&exc_OSError)) < 0 ? -1
                                                                                                                    : 0;
}
const ModuleSpec module_resource = {.name = "resource",
                                    .doc = "Resources of the process: what it has used, and its limits.",
                                    .functions = functions,
                                    .exec = fill};
