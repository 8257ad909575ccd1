/* __build_class__: what a class statement calls. */
#include "object/type_build.h"
#include "interp/frame.h"
#include "interp/function.h"
#include "interp/interp.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Value type_update_bases(Value bases) {
    Value list = ABSENT;
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Value b = tuple_get(bases, i), f;
        int r = 0;
        if (!v_is_type(b)) {
            r = obj_lookup_attr(b, ID("__mro_entries__"), &f);
            if (r < 0)
                goto fail;
        }
        if (r == 0) {
            if (list && list_append(list, b) < 0)
                goto fail;
            continue;
        }
        Value n = obj_call1(f, bases);
        release(f);
        if (!n)
            goto fail;
        if (!v_is_tuple(n)) {
            release(n);
            err_set(&exc_TypeError, "__mro_entries__ must return a tuple");
            goto fail;
        }
        if (!list) {
            list = list_from(tuple_items(bases), i);
            if (!list) {
                release(n);
                goto fail;
            }
        }
        r = list_extend(list, n);
        release(n);
        if (r < 0)
            goto fail;
    }
    if (!list)
        return retained(bases);
    Value t = list_to_tuple(list);
    release(list);
    return t;
fail:
    release(list);
    return ABSENT;
}

Value type_build_class(Value func, Value name, Value *bases_in, intptr_t n_bases, Value *kwvalues, Value kwnames) {
    Value orig = tuple_from(bases_in, n_bases), bases = orig ? type_update_bases(orig) : ABSENT, meta = ABSENT,
          ns = ABSENT, cell = ABSENT;
    Value cls = ABSENT, names = ABSENT, prep, vals[40];
    intptr_t nk = kwnames ? tuple_len(kwnames) : 0, n_rest = 0;
    if (!bases)
        goto out;
    if (nk > 32) {
        err_set(&exc_TypeError, "too many class keywords");
        goto out;
    }
    /* Keywords without metaclass=; in vals behind name, bases, namespace. */
    for (intptr_t i = 0; i < nk; i++) {
        if (str_equal_c(tuple_get(kwnames, i), "metaclass"))
            meta = retained(kwvalues[i]);
        else
            vals[3 + n_rest++] = kwvalues[i];
    }
    if (n_rest) {
        names = tuple_new(n_rest);
        if (!names)
            goto out;
        for (intptr_t i = 0, j = 0; i < nk; i++)
            if (!str_equal_c(tuple_get(kwnames, i), "metaclass"))
                tuple_init_item(names, j++, retained(tuple_get(kwnames, i)));
    }
    bool is_class = true;
    if (meta)
        is_class = v_is_type(meta);
    else
        meta = retained(tuple_len(bases) ? V_OF(type_of(tuple_get(bases, 0))) : V_OF(&type_type));
    if (is_class) {
        Type *winner = type_calculate_meta((Type *)meta, bases);
        if (!winner)
            goto out;
        if (V_OF(winner) != meta) {
            release(meta);
            meta = retained(V_OF(winner));
        }
    }
    if (meta == V_OF(&type_type))
        ns = dict_new();
    else {
        int r = obj_lookup_attr(meta, ID("__prepare__"), &prep);
        if (r < 0)
            goto out;
        if (r == 0)
            ns = dict_new();
        else {
            vals[1] = name;
            vals[2] = bases;
            ns = obj_call(prep, vals + 1, 2, names);
            release(prep);
        }
    }
    if (!ns)
        goto out;
    if (!v_is_dict(ns) && !type_special(type_of(ns), SP_GETITEM)) {
        if (is_class)
            err_set(&exc_TypeError, "%s.__prepare__() must return a mapping, not %T", type_cname((Type *)meta), ns);
        else
            err_set(&exc_TypeError, "<metaclass>.__prepare__() must return a mapping, not %T", ns);
        goto out;
    }
    cell = interp_run_class_body(func, ns);
    if (!cell)
        goto out;
    if (bases != orig && obj_setitem(ns, ID("__orig_bases__"), orig) < 0)
        goto out;
    type_slots_hint = function_code(func)->inline_slots_hint;
    vals[0] = name;
    vals[1] = bases;
    vals[2] = ns;
    cls = obj_call(meta, vals, 3, names);
    type_slots_hint = 0;
    if (cls && v_is_type(cls) && v_is_exact(cell, IDX_CELL)) {
        Value in = cell_get(cell);
        if (in != cls) {
            if (!in)
                err_set(&exc_RuntimeError,
                        "__class__ not set defining %R as %R. Was __classcell__ propagated to type.__new__?", name,
                        cls);
            else
                err_set(&exc_TypeError, "__class__ set to %R defining %R as %R", in, name, cls);
            release(cls);
            cls = ABSENT;
        }
        release(in);
    }
out:
    release(orig);
    release(bases);
    release(meta);
    release(ns);
    release(cell);
    release(names);
    return cls;
}
