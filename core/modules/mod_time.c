/* Module time. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <wchar.h>

#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/module.h"
#include "object/str.h"
#include "object/structseq.h"
#include "object/tuple.h"
#include "parker.h"
#include "runtime/safepoint.h"

#define NS ((int64_t)1000000000)

/* ---- clocks ---- */

static int64_t ts_ns(const struct timespec *ts) {
    return (int64_t)ts->tv_sec * NS + ts->tv_nsec;
}

static int64_t clock_ns(clockid_t id) {
    struct timespec ts;
    if (sched_on && id == CLOCK_MONOTONIC)
        return now_ns();
    clock_gettime(id, &ts);
    return ts_ns(&ts);
}

static Value seconds(int64_t ns) {
    int64_t whole = ns / NS;
    return float_new((double)whole + (double)(ns % NS) * 1e-9);
}
/* Rounded once, as CPython: the nanoseconds as a double, divided. */
static Value seconds_exact(int64_t ns) {
    int64_t whole = ns / NS;
    return float_new(ns % NS == 0 ? (double)whole : (double)ns / 1e9);
}

#define CLOCK(name, id)                                                             \
    static Value m_##name(Value self, Value *args, intptr_t nargs, Value kw) {      \
        return seconds_exact(clock_ns(id));                                         \
    }                                                                               \
    static Value m_##name##_ns(Value self, Value *args, intptr_t nargs, Value kw) { \
        return int_from_i64(clock_ns(id));                                          \
    }
CLOCK(time, CLOCK_REALTIME)
CLOCK(monotonic, CLOCK_MONOTONIC)
CLOCK(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK(thread_time, CLOCK_THREAD_CPUTIME_ID)

static int get_clock(Value v, clockid_t *id) {
    int n;
    if (num_as_int(v, &n) < 0)
        return -1;
    *id = (clockid_t)n;
    return 0;
}

static Value m_clock_gettime(Value self, Value *args, intptr_t nargs, Value kw) {
    clockid_t id;
    struct timespec ts;
    if (get_clock(args[0], &id) < 0)
        return ABSENT;
    return clock_gettime(id, &ts) < 0 ? err_errno() : seconds(ts_ns(&ts));
}
static Value m_clock_gettime_ns(Value self, Value *args, intptr_t nargs, Value kw) {
    clockid_t id;
    struct timespec ts;
    if (get_clock(args[0], &id) < 0)
        return ABSENT;
    return clock_gettime(id, &ts) < 0 ? err_errno() : int_from_i64(ts_ns(&ts));
}
static Value m_clock_getres(Value self, Value *args, intptr_t nargs, Value kw) {
    clockid_t id;
    struct timespec ts;
    if (get_clock(args[0], &id) < 0)
        return ABSENT;
    return clock_getres(id, &ts) < 0 ? err_errno() : float_new((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

/* Seconds as an int or a float, to nanoseconds; rounds towards +infinity when up, else down. 0, -1. */
static int to_ns(Value v, int64_t *ns, bool up) {
    if (v_has_flag(v, TF_FLOAT) || v_is_flo(v)) {
        double d = float_value(v);
        if (d != d) {
            err_set(&exc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        d = up ? ceil(d * 1e9) : floor(d * 1e9);
        if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
            err_set(&exc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *ns = (int64_t)d;
        return 0;
    }
    int64_t s;
    Value i = num_index(v);
    if (i == ABSENT)
        return -1;
    int rc = int_to_i64(i, &s);
    release(i);
    if (rc != 0 || s > INT64_MAX / NS || s < INT64_MIN / NS) {
        err_set(&exc_OverflowError, "timestamp too large to convert to C _PyTime_t");
        return -1;
    }
    *ns = s * NS;
    return 0;
}

static Value set_clock(Value clock, int64_t ns) {
    clockid_t id;
    if (get_clock(clock, &id) < 0)
        return ABSENT;
    int64_t rest = ns % NS;
    struct timespec ts = {ns / NS, rest};
    if (rest < 0) {
        ts.tv_sec--;
        ts.tv_nsec = rest + NS;
    }
    return clock_settime(id, &ts) < 0 ? err_errno() : V_NONE;
}
static Value m_clock_settime(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns;
    return to_ns(args[1], &ns, false) < 0 ? ABSENT : set_clock(args[0], ns);
}
static Value m_clock_settime_ns(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns;
    return num_as_i64(args[1], &ns) < 0 ? ABSENT : set_clock(args[0], ns);
}
static Value m_pthread_getcpuclockid(Value self, Value *args, intptr_t nargs, Value kw) {
    uint64_t thread;
    clockid_t id;
    if (!v_is_integer(args[0]))
        return err_set(&exc_TypeError, "an integer is required (got type %T)", args[0]);
    int_to_u64_mask(args[0], &thread);
    int rc = pthread_getcpuclockid((pthread_t)thread, &id);
    if (rc != 0) {
        errno = rc;
        return err_errno();
    }
    return v_from_int(id);
}

static Value m_get_clock_info(Value self, Value *args, intptr_t nargs, Value kw) {
    static const struct {
        const char *name, *implementation;
        clockid_t id;
        bool monotonic, adjustable;
    } clocks[] = {
        {"time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, false, true},
        {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, true, false},
        {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, true, false},
    };
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "get_clock_info() argument 1 must be str, not %T", args[0]);
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        if (!str_equal_c(args[0], clocks[i].name))
            continue;
        struct timespec res;
        clock_getres(clocks[i].id, &res);
        Value cls = import_attr("types", "SimpleNamespace");
        Value ns = cls == ABSENT ? ABSENT : obj_call0(cls);
        release(cls);
        if (ns == ABSENT)
            return ABSENT;
        Value impl = str_from_c(clocks[i].implementation);
        Value resolution = float_new((double)res.tv_sec + (double)res.tv_nsec * 1e-9);
        bool ok = impl != ABSENT && resolution != ABSENT && obj_setattr_str(ns, "implementation", impl) == 0 &&
                  obj_setattr_str(ns, "monotonic", v_bool(clocks[i].monotonic)) == 0 &&
                  obj_setattr_str(ns, "adjustable", v_bool(clocks[i].adjustable)) == 0 &&
                  obj_setattr_str(ns, "resolution", resolution) == 0;
        release(impl);
        release(resolution);
        if (!ok) {
            release(ns);
            return ABSENT;
        }
        return ns;
    }
    return err_set(&exc_ValueError, "unknown clock");
}

/* ---- sleep ---- */

static Value m_sleep(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns;
    if (to_ns(args[0], &ns, true) < 0)
        return ABSENT;
    if (ns < 0)
        return err_set(&exc_ValueError, "sleep length must be non-negative");
    if (ns == 0) {
        excl_yield(thread_self());
        return excl_poll() < 0 ? ABSENT : V_NONE;
    }
    Thread *t = thread_self();
    bool main = thread_is_main(t);
    int64_t deadline = deadline_in(ns);
    for (;;) {
        if (sched_on) {
            /* Through the parker, so that the scheduler sees it and can let the time pass. */
            bool in_time;
            DETACHED_BEGIN
            in_time = parker_wait(parker_self(), deadline);
            DETACHED_END
            if (!in_time && now_ns() >= deadline)
                return excl_poll() < 0 ? ABSENT : V_NONE;
        } else {
            struct timespec ts = {deadline / NS, deadline % NS};
            int rc;
            DETACHED_BEGIN
            rc = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
            DETACHED_END
            if (rc == 0)
                return V_NONE;
            if (rc != EINTR) {
                errno = rc;
                return err_errno();
            }
        }
        if (main && excl_poll() < 0)
            return ABSENT;
    }
}

/* ---- struct_time ---- */

static Type time_type;
static const StructSeqField time_fields[] = {
    {"tm_year", "year, for example, 1993"},
    {"tm_mon", "month of year, range [1, 12]"},
    {"tm_mday", "day of month, range [1, 31]"},
    {"tm_hour", "hours, range [0, 23]"},
    {"tm_min", "minutes, range [0, 59]"},
    {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day of week, range [0, 6], Monday is 0"},
    {"tm_yday", "day of year, range [1, 366]"},
    {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"},
    {"tm_zone", "abbreviation of timezone name"},
    {"tm_gmtoff", "offset from UTC in seconds"},
    {0},
};
static const char time_doc[] = "The time value as returned by gmtime(), localtime(), and strptime(), and\n accepted by "
                               "asctime(), mktime() and strftime().  May be "
                               "considered as a\n sequence of 9 integers.\n\n Note that several fields' values are not "
                               "the same as those defined by\n the C language "
                               "standard for struct tm.  For example, the value of the\n field tm_year is the actual "
                               "year, not year - 1900.  See individual\n "
                               "fields' descriptions for details.";

static Value from_tm(const struct tm *tm) {
    Value f[11] = {v_from_int(tm->tm_year + (int64_t)1900),
                   v_from_int(tm->tm_mon + 1),
                   v_from_int(tm->tm_mday),
                   v_from_int(tm->tm_hour),
                   v_from_int(tm->tm_min),
                   v_from_int(tm->tm_sec),
                   v_from_int((tm->tm_wday + 6) % 7),
                   v_from_int(tm->tm_yday + 1),
                   v_from_int(tm->tm_isdst),
                   tm->tm_zone != NULL ? str_decode_fs(tm->tm_zone, strlen(tm->tm_zone)) : V_NONE,
                   v_from_int(tm->tm_gmtoff)};
    return structseq_new(&time_type, f, 11);
}

/* The optional seconds argument: 0, -1. */
static int get_seconds(Value v, time_t *t) {
    if (v == ABSENT || v == V_NONE) {
        *t = (time_t)(clock_ns(CLOCK_REALTIME) / NS);
        return 0;
    }
    if (v_has_flag(v, TF_FLOAT) || v_is_flo(v)) {
        double d = float_value(v);
        if (d != d) {
            err_set(&exc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        d = floor(d);
        if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
            err_set(&exc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *t = (time_t)d;
        return 0;
    }
    Value i = num_index(v);
    int64_t n;
    if (i == ABSENT)
        return -1;
    int rc = int_to_i64(i, &n);
    release(i);
    if (rc != 0) {
        err_set(&exc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    *t = (time_t)n;
    return 0;
}

static Value broken_down(Value arg, bool local) {
    time_t t;
    struct tm tm;
    if (get_seconds(arg, &t) < 0)
        return ABSENT;
    errno = 0;
    if ((local ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)) == NULL) {
        if (errno == 0)
            errno = EINVAL;
        return err_errno();
    }
    return from_tm(&tm);
}
static Value m_gmtime(Value self, Value *args, intptr_t nargs, Value kw) {
    return broken_down(arg_at(args, nargs, 0), false);
}
static Value m_localtime(Value self, Value *args, intptr_t nargs, Value kw) {
    return broken_down(arg_at(args, nargs, 0), true);
}

static int tm_field(Value tuple, int i, int *out) {
    return num_as_int(tuple_get(tuple, i), out);
}

/* A tuple of nine. The name of its zone lives as long as v. */
static int to_tm(Value v, struct tm *tm, const char *message) {
    memset(tm, 0, sizeof(*tm));
    if (!v_is_tuple(v)) {
        err_set(&exc_TypeError, "Tuple or struct_time argument required");
        return -1;
    }
    if (tuple_len(v) != 9) {
        err_set(&exc_TypeError, "%s", message);
        return -1;
    }
    int year;
    if (tm_field(v, 0, &year) < 0 || tm_field(v, 1, &tm->tm_mon) < 0 || tm_field(v, 2, &tm->tm_mday) < 0 ||
        tm_field(v, 3, &tm->tm_hour) < 0 || tm_field(v, 4, &tm->tm_min) < 0 || tm_field(v, 5, &tm->tm_sec) < 0 ||
        tm_field(v, 6, &tm->tm_wday) < 0 || tm_field(v, 7, &tm->tm_yday) < 0 || tm_field(v, 8, &tm->tm_isdst) < 0)
        return -1;
    if (year < INT_MIN + 1900) {
        err_set(&exc_OverflowError, "year out of range");
        return -1;
    }
    tm->tm_year = year - 1900;
    tm->tm_mon--;
    tm->tm_wday = (tm->tm_wday + 1) % 7;
    tm->tm_yday--;
    if (type_of(v) == &time_type) {
        Value zone = tuple_get(v, 9), off = tuple_get(v, 10);
        int64_t n;
        if (v_is_str(zone)) {
            const char *s = str_utf8(zone, NULL);
            if (s == NULL)
                return -1;
            tm->tm_zone = s;
        }
        if (v_is_integer(off) && int_to_i64(off, &n) == 0)
            tm->tm_gmtoff = n;
    }
    return 0;
}

/* The ranges of asctime and strftime; zeroes that older code passes for "unknown" become the least valid. */
static int check_tm(struct tm *tm) {
    if (tm->tm_mon == -1)
        tm->tm_mon = 0;
    else if (tm->tm_mon < 0 || tm->tm_mon > 11) {
        err_set(&exc_ValueError, "month out of range");
        return -1;
    }
    if (tm->tm_mday == 0)
        tm->tm_mday = 1;
    else if (tm->tm_mday < 0 || tm->tm_mday > 31) {
        err_set(&exc_ValueError, "day of month out of range");
        return -1;
    }
    const char *bad = NULL;
    if (tm->tm_hour < 0 || tm->tm_hour > 23)
        bad = "hour out of range";
    else if (tm->tm_min < 0 || tm->tm_min > 59)
        bad = "minute out of range";
    else if (tm->tm_sec < 0 || tm->tm_sec > 61)
        bad = "seconds out of range";
    else if (tm->tm_wday < 0) /* the upper end follows from the modulo in to_tm */
        bad = "day of week out of range";
    if (bad == NULL) {
        if (tm->tm_yday == -1)
            tm->tm_yday = 0;
        else if (tm->tm_yday < 0 || tm->tm_yday > 365)
            bad = "day of year out of range";
    }
    if (bad != NULL) {
        err_set(&exc_ValueError, "%s", bad);
        return -1;
    }
    return 0;
}

static Value ascii_time(const struct tm *tm) {
    static const char wday[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char mon[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char buf[80];
    int n = snprintf(buf, sizeof(buf), "%s %s%3d %.2d:%.2d:%.2d %lld", wday[tm->tm_wday], mon[tm->tm_mon], tm->tm_mday,
                     tm->tm_hour, tm->tm_min, tm->tm_sec, (long long)tm->tm_year + 1900);
    return str_from_ascii(buf, (size_t)n);
}

static Value m_asctime(Value self, Value *args, intptr_t nargs, Value kw) {
    struct tm tm;
    if (nargs == 0 || args[0] == ABSENT) {
        time_t t = time(NULL);
        localtime_r(&t, &tm);
        return ascii_time(&tm);
    }
    if (to_tm(args[0], &tm, "asctime(): illegal time tuple argument") < 0 || check_tm(&tm) < 0)
        return ABSENT;
    return ascii_time(&tm);
}

static Value m_ctime(Value self, Value *args, intptr_t nargs, Value kw) {
    time_t t;
    struct tm tm;
    if (get_seconds(arg_at(args, nargs, 0), &t) < 0)
        return ABSENT;
    errno = 0;
    if (localtime_r(&t, &tm) == NULL)
        return err_errno();
    return ascii_time(&tm);
}

static Value m_mktime(Value self, Value *args, intptr_t nargs, Value kw) {
    struct tm tm;
    if (to_tm(args[0], &tm, "mktime(): illegal time tuple argument") < 0)
        return ABSENT;
    tm.tm_wday = -1; /* mktime sets it: tells an error from the second before the epoch */
    time_t t = mktime(&tm);
    if (t == (time_t)-1 && tm.tm_wday == -1)
        return err_set(&exc_OverflowError, "mktime argument out of range");
    return float_new((double)t);
}

static Value m_strftime(Value self, Value *args, intptr_t nargs, Value kw) {
    struct tm tm;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "strftime() argument 1 must be str, not %T", args[0]);
    if (arg_at(args, nargs, 1) == ABSENT) {
        time_t t = time(NULL);
        localtime_r(&t, &tm);
    } else if (to_tm(args[1], &tm, "strftime(): illegal time tuple argument") < 0 || check_tm(&tm) < 0) {
        return ABSENT;
    }
    if (tm.tm_isdst < -1)
        tm.tm_isdst = -1;
    else if (tm.tm_isdst > 1)
        tm.tm_isdst = 1;
    /* Through wide characters, so that text outside the format's directives passes as it is. */
    intptr_t n = str_len(args[0]);
    wchar_t *fmt = malloc(((size_t)n + 1) * sizeof(*fmt));
    if (fmt == NULL)
        return err_no_memory();
    int kind = str_kind(args[0]);
    const void *data = str_data(args[0]);
    bool wide_nul = false;
    for (intptr_t i = 0; i < n; i++) {
        fmt[i] = (wchar_t)str_at_kind(data, kind, i);
        wide_nul |= fmt[i] == 0;
    }
    fmt[n] = 0;
    if (wide_nul) {
        free(fmt);
        return err_set(&exc_ValueError, "embedded null character");
    }
    Value result = n == 0 ? str_empty() : ABSENT;
    for (size_t cap = 1024; n > 0; cap *= 2) {
        wchar_t *out = malloc(cap * sizeof(*out));
        if (out == NULL) {
            err_no_memory();
            break;
        }
        errno = 0;
        size_t len = wcsftime(out, cap, fmt, &tm);
        if (len == 0 && errno == EINVAL) {
            free(out);
            err_set(&exc_ValueError, "Invalid format string");
            break;
        }
        /* 0 may mean an empty result ("%p" in some locales): no more than 256 times the format is ever needed. */
        if (len > 0 || cap >= 256 * (size_t)n + 1024) {
            result = str_from_kind(out, 4, len);
            free(out);
            break;
        }
        free(out);
    }
    free(fmt);
    return result;
}

static Value m_strptime(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = import_attr("_strptime", "_strptime_time");
    if (f == ABSENT)
        return ABSENT;
    Value r = obj_call(f, args, nargs, ABSENT);
    release(f);
    return r;
}

/* ---- time zone ---- */

static int add_zone(Value m) {
    /* As CPython: the names and offsets of the most recent January and July. */
    enum { YEAR = (365 * 24 + 6) * 3600 };
    time_t t = time(NULL) / YEAR * YEAR;
    struct tm tm;
    char january[64], july[64];
    if (localtime_r(&t, &tm) == NULL)
        return 0;
    snprintf(january, sizeof(january), "%s", tm.tm_zone);
    int64_t january_zone = -tm.tm_gmtoff;
    t += YEAR / 2;
    localtime_r(&t, &tm);
    snprintf(july, sizeof(july), "%s", tm.tm_zone);
    int64_t july_zone = -tm.tm_gmtoff;
    bool south = january_zone < july_zone; /* summer in January */
    const char *std = south ? july : january, *dst = south ? january : july;
    Value names[2] = {str_decode_fs(std, strlen(std)), str_decode_fs(dst, strlen(dst))};
    if (names[0] == ABSENT || names[1] == ABSENT)
        return -1;
    Value zone = v_from_int(south ? july_zone : january_zone), alt = v_from_int(south ? january_zone : july_zone);
    return module_add(m, "timezone", zone) < 0 || module_add(m, "altzone", alt) < 0 ||
                   module_add_int(m, "daylight", january_zone != july_zone) < 0 ||
                   module_add(m, "tzname", tuple_from_steal(names, 2)) < 0
               ? -1
               : 0;
}

static Value m_tzset(Value self, Value *args, intptr_t nargs, Value kw) {
    tzset();
    Value m = import_module("time");
    if (m == ABSENT)
        return ABSENT;
    int rc = add_zone(m);
    release(m);
    return rc < 0 ? ABSENT : V_NONE;
}

/* ---- module ---- */

static const NativeDef functions[] = {
    {"time", m_time, "()", 0,
     "time() -> floating point number\n\nReturn the current time in seconds since the Epoch.\nFractions of a second "
     "may be present if the system clock provides them."},
    {"time_ns", m_time_ns, "()", 0, "time_ns() -> int\n\nReturn the current time in nanoseconds since the Epoch."},
    {"clock_gettime", m_clock_gettime, "(clk_id, /)", 0,
     "clock_gettime(clk_id) -> float\n\nReturn the time of the specified clock clk_id."},
    {"clock_gettime_ns", m_clock_gettime_ns, "(clk_id, /)", 0,
     "clock_gettime_ns(clk_id) -> int\n\nReturn the time of the specified clock clk_id as nanoseconds."},
    {"clock_settime", m_clock_settime, "(clk_id, time, /)", 0,
     "clock_settime(clk_id, time)\n\nSet the time of the specified clock clk_id."},
    {"clock_settime_ns", m_clock_settime_ns, "(clk_id, time, /)", 0,
     "clock_settime_ns(clk_id, time)\n\nSet the time of the specified clock clk_id with nanoseconds."},
    {"clock_getres", m_clock_getres, "(clk_id, /)", 0,
     "clock_getres(clk_id) -> floating point number\n\nReturn the resolution (precision) of the specified clock "
     "clk_id."},
    {"pthread_getcpuclockid", m_pthread_getcpuclockid, "(thread_id, /)", 0,
     "pthread_getcpuclockid(thread_id) -> int\n\nReturn the clk_id of a thread's CPU time clock."},
    {"sleep", m_sleep, "(seconds, /)", 0,
     "sleep(seconds)\n\nDelay execution for a given number of seconds.  The argument may be\na floating point number "
     "for subsecond precision."},
    {"gmtime", m_gmtime, "(seconds=None, /)", 0,
     "gmtime([seconds]) -> (tm_year, tm_mon, tm_mday, tm_hour, tm_min,\n                       tm_sec, tm_wday, "
     "tm_yday, tm_isdst)\n\nConvert seconds since the Epoch to a time tuple expressing UTC (a.k.a.\nGMT).  When "
     "'seconds' is not passed in, convert the current time instead."},
    {"localtime", m_localtime, "(seconds=None, /)", 0,
     "localtime([seconds]) -> (tm_year,tm_mon,tm_mday,tm_hour,tm_min,\n                          "
     "tm_sec,tm_wday,tm_yday,tm_isdst)\n\nConvert seconds since the Epoch to a time tuple expressing local time.\nWhen "
     "'seconds' is not passed in, convert the current time instead."},
    {"asctime", m_asctime, "(tuple=<unrepresentable>, /)", 0,
     "asctime([tuple]) -> string\n\nConvert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.\nWhen the time "
     "tuple is not present, current time as returned by localtime()\nis used."},
    {"ctime", m_ctime, "(seconds=None, /)", 0,
     "ctime(seconds) -> string\n\nConvert a time in seconds since the Epoch to a string in local time."},
    {"mktime", m_mktime, "(tuple, /)", 0,
     "mktime(tuple) -> floating point number\n\nConvert a time tuple in local time to seconds since the Epoch."},
    {"strftime", m_strftime, "(format, tuple=<unrepresentable>, /)", 0,
     "strftime(format[, tuple]) -> string\n\nConvert a time tuple to a string according to a format specification."},
    {"strptime", m_strptime, "(string, format='%a %b %d %H:%M:%S %Y', /)", 0,
     "strptime(string, format) -> struct_time\n\nParse a string to a time tuple according to a format specification."},
    {"tzset", m_tzset, "()", 0,
     "tzset()\n\nInitialize, or reinitialize, the local timezone to the value stored in\nos.environ['TZ']."},
    {"monotonic", m_monotonic, "()", 0, "monotonic() -> float\n\nMonotonic clock, cannot go backward."},
    {"monotonic_ns", m_monotonic_ns, "()", 0,
     "monotonic_ns() -> int\n\nMonotonic clock, cannot go backward, as nanoseconds."},
    {"process_time", m_process_time, "()", 0,
     "process_time() -> float\n\nProcess time for profiling: sum of the kernel and user-space CPU time."},
    {"process_time_ns", m_process_time_ns, "()", 0,
     "process_time() -> int\n\nProcess time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time."},
    {"thread_time", m_thread_time, "()", 0,
     "thread_time() -> float\n\nThread time for profiling: sum of the kernel and user-space CPU time."},
    {"thread_time_ns", m_thread_time_ns, "()", 0,
     "thread_time() -> int\n\nThread time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time."},
    {"perf_counter", m_monotonic, "()", 0, "perf_counter() -> float\n\nPerformance counter for benchmarking."},
    {"perf_counter_ns", m_monotonic_ns, "()", 0,
     "perf_counter_ns() -> int\n\nPerformance counter for benchmarking as nanoseconds."},
    {"get_clock_info", m_get_clock_info, "(name, /)", 0,
     "get_clock_info(name: str) -> dict\n\nGet information of the specified clock."},
    {0},
};

static int exec(Value m) {
    static const struct {
        const char *name;
        int64_t value;
    } constants[] = {
        {"CLOCK_REALTIME", CLOCK_REALTIME},
        {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
        {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
        {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
        {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
        {"CLOCK_BOOTTIME", CLOCK_BOOTTIME},
        {"CLOCK_TAI", CLOCK_TAI},
        {"_STRUCT_TM_ITEMS", 11},
    };
    for (size_t i = 0; i < ARRAY_LEN(constants); i++) {
        if (module_add_int(m, constants[i].name, constants[i].value) < 0)
            return -1;
    }
    if (time_type.spec == NULL)
        structseq_init(&time_type, "time.struct_time", time_doc, time_fields, 9);
    if (module_add(m, "struct_time", retained(V_OF(&time_type))) < 0)
        return -1;
    tzset();
    return add_zone(m);
}

const ModuleSpec module_time = {
    "time",
    "This module provides various functions to manipulate time values.",
    functions,
    exec,
};
