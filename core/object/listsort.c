/* list.sort: a stable merge sort of natural runs.
 *
 * The parts are published algorithms: runs, binary insertion into short ones and galloping merges from Tim Peters'
 * description of timsort (listsort.txt); the order of merges is powersort's (Munro and Wild, "Nearly-Optimal
 * Mergesorts", ESA 2018), which needs no invariant over the stack of runs but that powers rise.
 *
 * Two ways in.
 *
 * Pure: there is no key function, and all items are ints, floats, strs, bytes, constants, or tuples of such. No Python
 * code can run, so the sort is atomic. It works on a copy that is published if the list has not changed since, or in
 * place where nobody else can run and nobody would wait long for this thread.
 *
 * General: the items are taken out of the list (which is empty meanwhile, as in CPython) into a scratch tuple, and put
 * back in the end, also after an exception. Every item is at any time in the work array, the merge buffer, or a C
 * local.
 */
#include "object/bytes.h"
#include "object/float.h"
#include "object/list_impl.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

typedef enum Kind { INTS, FLOATS, STRS, TUPLES, MIXED } Kind;

typedef struct Part {
    Value *k, *v; /* keys, and the items that move along (NULL: the keys are the items) */
} Part;

enum { MAX_RUNS = 88, MIN_GALLOP = 7, LOCAL_TEMP = 64, POLL_ITEMS = 4096 };

typedef struct Sort {
    Part a;
    size_t n;
    size_t min_gallop;
    Value temp_keys, temp_items; /* scratch tuples, or ABSENT */
    size_t temp_cap;
    Part temp;
    bool may_poll;
    int n_runs;
    struct {
        size_t base, len;
        int power; /* of the boundary to the next run */
    } runs[MAX_RUNS];
    Value local[LOCAL_TEMP];
} Sort;

/* ---- comparing ---- */

/* 1 a < b, 0 not, -1 exception */
static int lt_tuples(Value a, Value b) {
    intptr_t n = MIN(tuple_len(a), tuple_len(b));
    for (intptr_t i = 0; i < n; i++) {
        Value x = tuple_get(a, i), y = tuple_get(b, i);
        if (x == y)
            continue;
        if (v_is_int(x) && v_is_int(y))
            return (int64_t)x < (int64_t)y;
        if (v_is_exact(x, IDX_STR) && v_is_exact(y, IDX_STR)) {
            int c = str_cmp(x, y);
            if (c)
                return c < 0;
            continue;
        }
        return obj_compare_bool(a, b, CMP_LT);
    }
    return tuple_len(a) < tuple_len(b);
}

static ALWAYS_INLINE int lt(Kind kind, Value a, Value b) {
    switch (kind) {
    case INTS:
        return (int64_t)a < (int64_t)b;
    case FLOATS:
        return float_value(a) < float_value(b);
    case STRS:
        return a != b && str_cmp(a, b) < 0;
    case TUPLES:
        return lt_tuples(a, b);
    default:
        return obj_compare_bool(a, b, CMP_LT);
    }
}

static ALWAYS_INLINE Kind kind_of(Value v) {
    if (v_is_int(v))
        return INTS;
    if (v_is_flo(v))
        return FLOATS;
    if (!v_is_obj(v))
        return MIXED;
    switch (obj_index(v)) {
    case IDX_FLOAT:
        return FLOATS;
    case IDX_STR:
        return STRS;
    case IDX_TUPLE:
        return TUPLES;
    default:
        return MIXED;
    }
}
static Kind kind_of_all(const Value *v, size_t n) {
    Kind kind = n ? kind_of(v[0]) : MIXED;
    for (size_t i = 1; i < n && kind != MIXED; i++)
        if (kind_of(v[i]) != kind)
            return MIXED;
    return kind;
}

int value_lt(Value a, Value b) {
    Kind kind = kind_of(a);
    if (kind != kind_of(b))
        return obj_compare_bool(a, b, CMP_LT);
    switch (kind) {
    case INTS:
        return lt(INTS, a, b);
    case FLOATS:
        return lt(FLOATS, a, b);
    case STRS:
        return lt(STRS, a, b);
    case TUPLES:
        return lt(TUPLES, a, b);
    default:
        return obj_compare_bool(a, b, CMP_LT);
    }
}

static bool is_number(Value v) {
    return v_is_int(v) || v_is_flo(v) || v_is_bool(v) ||
           (v_is_obj(v) && (obj_index(v) == IDX_INT || obj_index(v) == IDX_FLOAT));
}
/* a OP b of numbers, strs or bytes; -1: other types, or no memory. */
static int compare_flat(Value a, Value b, int op) {
    if (!(is_number(a) && is_number(b)) && !(v_is_exact(a, IDX_STR) && v_is_exact(b, IDX_STR)) &&
        !(v_is_exact(a, IDX_BYTES) && v_is_exact(b, IDX_BYTES)))
        return -1;
    int r = obj_compare_bool(a, b, op);
    if (r < 0)
        err_clear();
    return r;
}
int simple_lt(Value a, Value b) {
    Kind kind = kind_of(a);
    if (kind == kind_of(b) && kind <= STRS)
        return kind == INTS ? lt(INTS, a, b) : kind == FLOATS ? lt(FLOATS, a, b) : lt(STRS, a, b);
    if (kind != TUPLES || !v_is_exact(b, IDX_TUPLE))
        return compare_flat(a, b, CMP_LT);
    intptr_t n = MIN(tuple_len(a), tuple_len(b));
    for (intptr_t i = 0; i < n; i++) {
        Value x = tuple_get(a, i), y = tuple_get(b, i);
        int r = flat_eq(x, y);
        if (r < 0 && (r = compare_flat(x, y, CMP_EQ)) < 0)
            return -1;
        if (r == 0)
            return compare_flat(x, y, CMP_LT);
    }
    return tuple_len(a) < tuple_len(b);
}

/* ---- moving ---- */

static ALWAYS_INLINE Part at(Part p, size_t i) {
    return (Part){p.k + i, p.v ? p.v + i : NULL};
}
static ALWAYS_INLINE void set1(Part d, size_t i, Part s, size_t j) {
    d.k[i] = s.k[j];
    if (d.v)
        d.v[i] = s.v[j];
}
static ALWAYS_INLINE void copy(Part d, Part s, size_t n) {
    memcpy(d.k, s.k, n * sizeof(Value));
    if (d.v && s.v) /* both or none: the analyzer does not see it */
        memcpy(d.v, s.v, n * sizeof(Value));
}
static ALWAYS_INLINE void move(Part d, Part s, size_t n) {
    memmove(d.k, s.k, n * sizeof(Value));
    if (d.v)
        memmove(d.v, s.v, n * sizeof(Value));
}
static void reverse_words(Value *p, size_t n) {
    for (size_t i = 0, j = n; i + 1 < j; i++) {
        Value t = p[i];
        p[i] = p[--j];
        p[j] = t;
    }
}
static void reverse(Part p, size_t n) {
    reverse_words(p.k, n);
    if (p.v)
        reverse_words(p.v, n);
}

static void temp_free(Sort *s) {
    Value both[2] = {s->temp_keys, s->temp_items};
    for (int i = 0; i < 2; i++)
        if (both[i] != ABSENT) {
            /* The words are copies: nothing is owned here. */
            memset(tuple_items(both[i]), 0, (size_t)tuple_len(both[i]) * sizeof(Value));
            release(both[i]);
        }
    s->temp_keys = s->temp_items = ABSENT;
    s->temp_cap = 0;
}
static int temp_reserve(Sort *s, size_t n) {
    if (n <= s->temp_cap)
        return 0;
    temp_free(s);
    size_t cap = MIN(MAX(n, 256), s->n / 2 + 1);
    cap = MAX(cap, n);
    s->temp_keys = scratch_new((intptr_t)cap);
    if (s->temp_keys == ABSENT)
        return -1;
    if (s->a.v && (s->temp_items = scratch_new((intptr_t)cap)) == ABSENT)
        return -1;
    s->temp.k = tuple_items(s->temp_keys);
    s->temp.v = s->a.v ? tuple_items(s->temp_items) : NULL;
    s->temp_cap = cap;
    return 0;
}

/* ---- runs ---- */

/* Length of the run at the start of p, made ascending; -1. A strictly descending run is reversed. */
static ALWAYS_INLINE intptr_t count_run(Kind kind, Part p, size_t n) {
    if (n < 2)
        return (intptr_t)n;
    size_t i = 1;
    int r = lt(kind, p.k[1], p.k[0]);
    if (r < 0)
        return -1;
    if (r) {
        while (++i < n && (r = lt(kind, p.k[i], p.k[i - 1])) > 0)
            ;
        if (i < n && r < 0)
            return -1;
        reverse(p, i);
    } else {
        while (++i < n && (r = lt(kind, p.k[i], p.k[i - 1])) == 0)
            ;
        if (i < n && r < 0)
            return -1;
    }
    return (intptr_t)i;
}

/* [0, sorted) of p is sorted: inserts the rest of [0, n). */
static ALWAYS_INLINE int insertion(Kind kind, Part p, size_t sorted, size_t n) {
    for (size_t i = sorted; i < n; i++) {
        Value k = p.k[i], v = p.v ? p.v[i] : ABSENT;
        size_t lo = 0, hi = i;
        while (lo < hi) {
            size_t mid = (lo + hi) >> 1;
            int r = lt(kind, k, p.k[mid]);
            if (r < 0)
                return -1;
            if (r)
                hi = mid;
            else
                lo = mid + 1;
        }
        memmove(p.k + lo + 1, p.k + lo, (i - lo) * sizeof(Value));
        p.k[lo] = k;
        if (p.v) {
            memmove(p.v + lo + 1, p.v + lo, (i - lo) * sizeof(Value));
            p.v[lo] = v;
        }
    }
    return 0;
}

/* ---- galloping ---- */

/* How many items of sorted a[0..n) go before key: those less than it (right false), or not greater (right true). The
 * search gallops away from index hint. -1: exception. */
static ALWAYS_INLINE intptr_t gallop(Kind kind, Value key, const Value *a, size_t n, size_t hint, bool right) {
    /* goes_before(i): a[i] stays left of key */
#define GOES_BEFORE(i) (right ? lt(kind, key, a[i]) : lt(kind, a[i], key))
    size_t lo, hi, step = 1;
    int r = GOES_BEFORE(hint);
    if (r < 0)
        return -1;
    if ((r > 0) != right) {
        /* a[hint] goes before: look to the right. */
        lo = hint + 1;
        hi = n;
        while (hint + step < n) {
            if ((r = GOES_BEFORE(hint + step)) < 0)
                return -1;
            if ((r > 0) == right) {
                hi = hint + step;
                break;
            }
            lo = hint + step + 1;
            step = step * 2 + 1;
        }
    } else {
        lo = 0;
        hi = hint;
        while (step <= hint) {
            if ((r = GOES_BEFORE(hint - step)) < 0)
                return -1;
            if ((r > 0) != right) {
                lo = hint - step + 1;
                break;
            }
            hi = hint - step;
            step = step * 2 + 1;
        }
    }
    while (lo < hi) {
        size_t mid = lo + ((hi - lo) >> 1);
        if ((r = GOES_BEFORE(mid)) < 0)
            return -1;
        if ((r > 0) != right)
            lo = mid + 1;
        else
            hi = mid;
    }
#undef GOES_BEFORE
    return (intptr_t)lo;
}

/* ---- merging ---- */

static ALWAYS_INLINE int poll(Sort *s) {
    return s->may_poll ? excl_poll() : 0;
}

/* a[0..na) and a[na..na+nb), both sorted, na <= nb: from the left, the first run in the buffer. */
static ALWAYS_INLINE int merge_low(Kind kind, Sort *s, Part dest, size_t na, size_t nb) {
    if (temp_reserve(s, na) < 0)
        return -1;
    Part a = s->temp, b = at(dest, na);
    copy(a, dest, na);
    size_t i = 0, j = 0, d = 0, min_gallop = s->min_gallop;
    int result = -1;
    while (i < na && j < nb) {
        if (poll(s) < 0)
            goto done;
        size_t won_a = 0, won_b = 0, i_stop = MIN(na, i + POLL_ITEMS), j_stop = MIN(nb, j + POLL_ITEMS);
        do {
            int r = lt(kind, b.k[j], a.k[i]);
            if (r < 0)
                goto done;
            if (r) {
                set1(dest, d++, b, j++);
                won_b++;
                won_a = 0;
            } else {
                set1(dest, d++, a, i++);
                won_a++;
                won_b = 0;
            }
            if (i == i_stop || j == j_stop)
                goto next;
        } while ((won_a | won_b) < min_gallop);
        min_gallop++;
        do {
            if (poll(s) < 0)
                goto done;
            min_gallop -= min_gallop > 1;
            intptr_t k = gallop(kind, b.k[j], a.k + i, na - i, 0, true);
            if (k < 0)
                goto done;
            copy(at(dest, d), at(a, i), (size_t)k);
            d += (size_t)k;
            i += (size_t)k;
            won_a = (size_t)k;
            if (i == na)
                goto merged;
            set1(dest, d++, b, j++);
            if (j == nb)
                goto merged;
            k = gallop(kind, a.k[i], b.k + j, nb - j, 0, false);
            if (k < 0)
                goto done;
            move(at(dest, d), at(b, j), (size_t)k);
            d += (size_t)k;
            j += (size_t)k;
            won_b = (size_t)k;
            if (j == nb)
                goto merged;
            set1(dest, d++, a, i++);
            if (i == na)
                goto merged;
        } while (won_a >= MIN_GALLOP || won_b >= MIN_GALLOP);
        min_gallop++;
    next:;
    }
merged:
    result = 0;
done:
    /* What is left of a fits exactly into the gap before what is left of b, also after an exception. */
    copy(at(dest, d), at(a, i), na - i);
    s->min_gallop = min_gallop;
    return result;
}

/* The same from the right, nb <= na: the second run in the buffer. */
static ALWAYS_INLINE int merge_high(Kind kind, Sort *s, Part dest, size_t na, size_t nb) {
    if (temp_reserve(s, nb) < 0)
        return -1;
    Part a = dest, b = s->temp;
    copy(b, at(dest, na), nb);
    size_t i = na, j = nb, d = na + nb, min_gallop = s->min_gallop; /* each one past the next */
    int result = -1;
    while (i > 0 && j > 0) {
        if (poll(s) < 0)
            goto done;
        size_t won_a = 0, won_b = 0, i_stop = i - MIN(i, POLL_ITEMS), j_stop = j - MIN(j, POLL_ITEMS);
        do {
            int r = lt(kind, b.k[j - 1], a.k[i - 1]);
            if (r < 0)
                goto done;
            if (r) {
                set1(dest, --d, a, --i);
                won_a++;
                won_b = 0;
            } else {
                set1(dest, --d, b, --j);
                won_b++;
                won_a = 0;
            }
            if (i == i_stop || j == j_stop)
                goto next;
        } while ((won_a | won_b) < min_gallop);
        min_gallop++;
        do {
            if (poll(s) < 0)
                goto done;
            min_gallop -= min_gallop > 1;
            intptr_t k = gallop(kind, b.k[j - 1], a.k, i, i - 1, true);
            if (k < 0)
                goto done;
            won_a = i - (size_t)k;
            d -= won_a;
            i = (size_t)k;
            move(at(dest, d), at(a, i), won_a);
            if (i == 0)
                goto merged;
            set1(dest, --d, b, --j);
            if (j == 0)
                goto merged;
            k = gallop(kind, a.k[i - 1], b.k, j, j - 1, false);
            if (k < 0)
                goto done;
            won_b = j - (size_t)k;
            d -= won_b;
            j = (size_t)k;
            copy(at(dest, d), at(b, j), won_b);
            if (j == 0)
                goto merged;
            set1(dest, --d, a, --i);
            if (i == 0)
                goto merged;
        } while (won_a >= MIN_GALLOP || won_b >= MIN_GALLOP);
        min_gallop++;
    next:;
    }
merged:
    result = 0;
done:
    copy(at(dest, d - j), b, j);
    s->min_gallop = min_gallop;
    return result;
}

/* Merges the two last runs. */
static ALWAYS_INLINE int merge_top(Kind kind, Sort *s) {
    int top = s->n_runs - 1;
    size_t base = s->runs[top - 1].base, na = s->runs[top - 1].len, nb = s->runs[top].len;
    s->runs[top - 1].len = na + nb;
    s->n_runs--;
    Part p = at(s->a, base);
    /* What of the first run is in place already, and what of the second. */
    intptr_t k = gallop(kind, p.k[na], p.k, na, 0, true);
    if (k < 0)
        return -1;
    p = at(p, (size_t)k);
    na -= (size_t)k;
    if (na == 0)
        return 0;
    k = gallop(kind, p.k[na - 1], p.k + na, nb, nb - 1, false);
    if (k <= 0)
        return (int)k;
    nb = (size_t)k;
    return na <= nb ? merge_low(kind, s, p, na, nb) : merge_high(kind, s, p, na, nb);
}

/* Powersort: depth in a perfectly balanced merge tree of the boundary between runs [base, base+na) and [base+na,
 * base+na+nb): the first binary digit in which the runs' midpoints, as fractions of n, differ. */
static int node_power(size_t base, size_t na, size_t nb, size_t n) {
    uint64_t a = 2 * (uint64_t)base + na, b = a + na + nb, whole = 2 * (uint64_t)n;
    for (int power = 1;; power++) {
        a *= 2;
        b *= 2;
        bool bit_a = a >= whole, bit_b = b >= whole;
        if (bit_a != bit_b)
            return power;
        if (bit_a) {
            a -= whole;
            b -= whole;
        }
    }
}

static size_t min_run(size_t n) {
    size_t rest = 0;
    while (n >= 64) {
        rest |= n & 1;
        n >>= 1;
    }
    return n + rest;
}

static ALWAYS_INLINE int sort_as(Kind kind, Sort *s) {
    size_t base = 0, left = s->n, minimum = min_run(s->n);
    s->n_runs = 0;
    while (left) {
        Part p = at(s->a, base);
        intptr_t run = count_run(kind, p, left);
        if (run < 0)
            return -1;
        if ((size_t)run < minimum) {
            size_t forced = MIN(left, minimum);
            if (insertion(kind, p, (size_t)run, forced) < 0)
                return -1;
            run = (intptr_t)forced;
        }
        if (s->n_runs) {
            int top = s->n_runs - 1;
            int power = node_power(s->runs[top].base, s->runs[top].len, (size_t)run, s->n);
            while (s->n_runs > 1 && s->runs[s->n_runs - 2].power > power)
                if (merge_top(kind, s) < 0)
                    return -1;
            s->runs[s->n_runs - 1].power = power;
        }
        ASSERT(s->n_runs < MAX_RUNS);
        s->runs[s->n_runs].base = base;
        s->runs[s->n_runs++].len = (size_t)run;
        base += (size_t)run;
        left -= (size_t)run;
    }
    while (s->n_runs > 1)
        if (merge_top(kind, s) < 0)
            return -1;
    return 0;
}
static NOINLINE int sort_ints(Sort *s) {
    return sort_as(INTS, s);
}
static NOINLINE int sort_floats(Sort *s) {
    return sort_as(FLOATS, s);
}
static NOINLINE int sort_strs(Sort *s) {
    return sort_as(STRS, s);
}
static NOINLINE int sort_tuples(Sort *s) {
    return sort_as(TUPLES, s);
}
static NOINLINE int sort_mixed(Sort *s) {
    return sort_as(MIXED, s);
}

/* Sorts n keys (and the items beside them, or NULL). After an exception they are in some order. */
static int sort_part(Part a, size_t n, Kind kind, bool descending, bool may_poll) {
    Sort s;
    if (n < 2)
        return 0;
    s.a = a;
    s.n = n;
    s.min_gallop = MIN_GALLOP;
    s.temp_keys = s.temp_items = ABSENT;
    s.may_poll = may_poll;
    s.temp.k = s.local;
    s.temp.v = a.v ? s.local + LOCAL_TEMP / 2 : NULL;
    s.temp_cap = a.v ? LOCAL_TEMP / 2 : LOCAL_TEMP;
    /* Equal items keep their order also in a descending sort: reversed before and after. */
    if (descending)
        reverse(a, n);
    int r = kind == INTS     ? sort_ints(&s)
            : kind == FLOATS ? sort_floats(&s)
            : kind == STRS   ? sort_strs(&s)
            : kind == TUPLES ? sort_tuples(&s)
                             : sort_mixed(&s);
    if (descending)
        reverse(a, n);
    temp_free(&s);
    return r;
}

/* ---- lists ---- */

static Value *items_of(Value l) {
    ListBlock *b = LOAD_RELAXED(&((List *)l)->block);
    return b ? (Value *)b->items : NULL;
}

/* In the section: the words of sorted, a permutation of the list's own, become its items. */
static void store_sorted(Value l, const Value *sorted, size_t n) {
    Ref *dst = (Ref *)items_of(l);
    for (size_t i = 0; i < n; i++)
        STORE_RELEASE(&dst[i], sorted[i]);
}

/* Whether comparing it runs no Python code; a tuple is asked for its items if `tuples`. */
static bool compares_simply(Value v, bool tuples) {
    if (!v_is_obj(v))
        return true;
    switch (obj_index(v)) {
    case IDX_INT:
    case IDX_FLOAT:
    case IDX_STR:
        return true;
    case IDX_BYTES:
        return bytes_warning_level == 0; /* with -b, comparing it with a str may run what shows warnings */
    case IDX_TUPLE:
        if (tuples)
            break;
        return false;
    default:
        return false;
    }
    for (intptr_t i = 0, n = tuple_len(v); i < n; i++)
        if (!compares_simply(tuple_get(v, i), false))
            return false;
    return true;
}
static bool compare_simply(const Value *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!compares_simply(v[i], true))
            return false;
    return true;
}

/* From here on sorting takes a tenth of a millisecond and more, and others may want to stop this thread. */
enum { COPY_ITEMS = 1000 };

/* 1: sorted; 0: the general way is needed; -1. */
static int sort_pure(Value l, bool descending) {
    ExclCs cs;
    for (int attempt = 0;; attempt++) {
        excl_cs_begin(&cs, l);
        size_t n = (size_t)list_len(l);
        Value *items = items_of(l);
        Kind kind = kind_of_all(items, n);
        if (kind >= TUPLES && !compare_simply(items, n)) {
            excl_cs_end(&cs);
            return 0;
        }
        if (excl_alone(l) && (n < COPY_ITEMS || !EXCL_PARALLEL || !LOAD_RELAXED(&world_threaded))) {
            int r = sort_part((Part){items, NULL}, n, kind, descending, false);
            excl_cs_end(&cs);
            return r < 0 ? -1 : 1;
        }
        /* Somebody keeps changing it, or it is short: everything in this section. */
        bool at_once = attempt == 4 || n < COPY_ITEMS;
        Value before = at_once ? ABSENT : tuple_from(items, (intptr_t)n), after = scratch_new((intptr_t)n);
        if (after == ABSENT || (!at_once && before == ABSENT)) {
            excl_cs_end(&cs);
            release(before);
            release(after);
            return -1;
        }
        Value *sorted = tuple_items(after);
        memcpy(sorted, items, n * sizeof(Value));
        if (!at_once)
            excl_cs_end(&cs); /* `before` keeps the items alive */
        int r = sort_part((Part){sorted, NULL}, n, kind, descending, !at_once);
        if (!at_once)
            excl_cs_begin(&cs, l);
        if (r == 0 && (at_once || ((size_t)list_len(l) == n &&
                                   memcmp(items_of(l), tuple_items(before), n * sizeof(Value)) == 0))) {
            store_sorted(l, sorted, n);
            r = 1;
        }
        excl_cs_end(&cs);
        memset(sorted, 0, n * sizeof(Value));
        release(after);
        release(before);
        if (r != 0)
            return r;
    }
}

int list_sort_with(Value l, Value key, bool descending) {
    bool keyed = key != ABSENT && !v_is_none(key);
    if (!keyed) {
        if (list_len(l) < 2)
            return 0;
        int r = sort_pure(l, descending);
        if (r)
            return r < 0 ? -1 : 0;
    }
    ListBlock *home;
    Value work = list_take_all(l, &home), keys = ABSENT;
    if (work == ABSENT)
        return -1;
    size_t n = (size_t)tuple_len(work);
    Part p = {tuple_items(work), NULL};
    int r = -1;
    if (keyed && n) {
        if ((keys = scratch_new((intptr_t)n)) == ABSENT)
            goto put_back;
        p.v = p.k;
        p.k = tuple_items(keys);
        for (size_t i = 0; i < n; i++)
            if ((p.k[i] = obj_call1(key, p.v[i])) == ABSENT)
                goto put_back;
    }
    r = sort_part(p, n, kind_of_all(p.k, n), descending, EXCL_PARALLEL);
put_back:
    release(keys);
    if (!list_put_back(l, work, home) && r == 0) {
        err_set(&exc_ValueError, "list modified during sort");
        r = -1;
    }
    release(work);
    return r;
}
