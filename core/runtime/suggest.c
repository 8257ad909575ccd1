#include "runtime/suggest.h"

#include "interp/frame.h"
#include "interp/traceback.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/str.h"

/* Edit distance with a cost of 2 per move and 1 for a change of case; limits as CPython's. */
enum { MOVE = 2, CASE_CHANGE = 1, LENGTH_MAX = 40, CANDIDATES_MAX = 750 };

static int substitution(uint8_t a, uint8_t b) {
    if ((a & 31) != (b & 31))
        return MOVE;
    if (a == b)
        return 0;
    if (a >= 'A' && a <= 'Z')
        a += 'a' - 'A';
    if (b >= 'A' && b <= 'Z')
        b += 'a' - 'A';
    return a == b ? CASE_CHANGE : MOVE;
}

static long distance(const char *a, size_t an, const char *b, size_t bn, long max) {
    while (an && bn && *a == *b)
        a++, an--, b++, bn--;
    while (an && bn && a[an - 1] == b[bn - 1])
        an--, bn--;
    if (an == 0 || bn == 0)
        return (long)(an + bn) * MOVE;
    if (an > LENGTH_MAX || bn > LENGTH_MAX)
        return max + 1;
    if (bn < an) {
        const char *t = a;
        a = b;
        b = t;
        size_t n = an;
        an = bn;
        bn = n;
    }
    if ((long)(bn - an) * MOVE > max)
        return max + 1;
    long row[LENGTH_MAX], result = 0;
    for (size_t i = 0; i < an; i++)
        row[i] = (long)(i + 1) * MOVE;
    for (size_t j = 0; j < bn; j++) {
        long diagonal = result = (long)j * MOVE, least = LONG_MAX;
        for (size_t i = 0; i < an; i++) {
            long sub = diagonal + substitution((uint8_t)b[j], (uint8_t)a[i]);
            diagonal = row[i];
            long move = MIN(result, diagonal) + MOVE;
            result = MIN(move, sub);
            row[i] = result;
            least = MIN(least, result);
        }
        if (least > max)
            return max + 1;
    }
    return result;
}

static Value nearest(Value names, Value name) {
    intptr_t n = list_len(names);
    if (n >= CANDIDATES_MAX)
        return ABSENT;
    size_t len;
    const char *s = str_utf8(name, &len);
    Value best = ABSENT;
    long best_distance = LONG_MAX;
    for (intptr_t i = 0; s && i < n; i++) {
        Value item = list_get(names, i);
        size_t k;
        const char *t = item && v_is_str(item) ? str_utf8(item, &k) : NULL;
        if (t && !(k == len && memcmp(t, s, k) == 0)) {
            long max = (long)(len + k + 3) * MOVE / 6;
            max = MIN(max, best_distance - 1);
            long d = distance(s, len, t, k, max);
            if (d <= max && (!best || d < best_distance)) {
                release(best);
                best = retained(item);
                best_distance = d;
            }
        }
        release(item);
    }
    return best;
}

static Value names_of_frame(Value frame) {
    static const char *const spaces[] = {"f_locals", "f_globals", "f_builtins"};
    Value all = list_new(0);
    for (int i = 0; all && i < 3; i++) {
        Value d;
        if (obj_lookup_attr_str(frame, spaces[i], &d) <= 0) {
            err_clear();
            continue;
        }
        Value keys = obj_call_method(d, ID("keys"), NULL, 0);
        if (!keys || list_extend(all, keys) < 0)
            err_clear();
        release(keys);
        release(d);
    }
    return all;
}

Value suggest_for(Value e) {
    Type *t = type_of(e);
    bool attr = type_is_subtype(t, &exc_AttributeError), name_error = type_is_subtype(t, &exc_NameError);
    if ((!attr && !name_error) || err_pending())
        return ABSENT;
    NameErrorExc *x = (NameErrorExc *)e;
    Value name = ref_peek(&x->name), names = ABSENT, r = ABSENT;
    if (!name || !v_is_str(name))
        return ABSENT;
    if (attr) {
        Value o = ref_peek(&x->obj);
        names = o ? obj_dir(o) : ABSENT;
    } else {
        Value tb = exc_traceback(e);
        if (v_is_exact(tb, IDX_TRACEBACK)) {
            Value last = tb, next;
            while ((next = ref_peek(&((Traceback *)last)->next)) != ABSENT)
                last = next;
            names = names_of_frame(ref_peek(&((Traceback *)last)->frame));
        }
        release(tb);
    }
    if (names)
        r = nearest(names, name);
    release(names);
    err_clear();
    return r;
}
