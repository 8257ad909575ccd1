/* Native functions: parsing their signatures and binding arguments to them. */
#include "object/native.h"

#include <ctype.h>

#include "object/dict.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- the compact signature ---- */

/* Skips a default value or annotation: up to ',' or ')' outside brackets and quotes. */
static const char *skip_default(const char *p) {
    int depth = 0;
    for (; *p; p++) {
        if (*p == '\'' || *p == '"') {
            char q = *p++;
            while (*p && *p != q)
                p += *p == '\\' && p[1] ? 2 : 1;
            if (!*p)
                break;
        } else if (strchr("([{", *p))
            depth++;
        else if (strchr(")]}", *p)) {
            if (depth-- == 0)
                break;
        } else if (*p == ',' && depth == 0)
            break;
    }
    return p;
}

static NativeSig *parse_sig(const char *text) {
    enum { MAX = 40 };
    Value names[MAX];
    NativeSig s = {0};
    bool kwonly = false, optional = false;
    const char *p = text ? text : "(*args, **kwargs)";
    p = strchr(p, '(');
    if (!p)
        fatal("malformed native signature");
    for (p++; *p && *p != ')';) {
        while (*p == ' ' || *p == ',')
            p++;
        if (*p == ')' || !*p)
            break;
        if (*p == '$') {
            while (*p && *p != ',' && *p != ')')
                p++;
            continue;
        }
        if (*p == '/') {
            s.n_posonly = s.n_pos;
            p++;
            continue;
        }
        if (p[0] == '*' && p[1] == '*') {
            s.var_kw = true;
            p = skip_default(p);
            continue;
        }
        if (*p == '*') {
            kwonly = true;
            p++;
            if (isalpha((unsigned char)*p) || *p == '_')
                s.var_args = true;
            p = skip_default(p);
            continue;
        }
        const char *start = p;
        while (isalnum((unsigned char)*p) || *p == '_')
            p++;
        if (p == start || s.n_total == MAX)
            fatal("malformed native signature");
        char buf[64];
        size_t n = (size_t)(p - start);
        if (n >= sizeof buf)
            fatal("malformed native signature");
        memcpy(buf, start, n);
        buf[n] = 0;
        Value name = str_from_ascii(buf, n);
        if (name)
            name = str_intern(name);
        if (!name)
            return NULL;
        names[s.n_total++] = name;
        p = skip_default(p);
        bool has_default = memchr(start, '=', (size_t)(p - start)) != NULL;
        if (!kwonly) {
            s.n_pos++;
            optional |= has_default;
            if (!optional)
                s.n_required = s.n_pos;
        } else if (!has_default)
            s.required_kwonly = true;
    }
    s.direct = !s.required_kwonly;
    s.min_args = s.n_required;
    s.max_args = s.var_args ? 255 : s.n_pos;
    NativeSig *r = malloc(sizeof *r + s.n_total * sizeof(Value));
    if (!r) {
        err_no_memory();
        return NULL;
    }
    *r = s;
    memcpy(r->names, names, s.n_total * sizeof(Value)); /* references kept for ever: registered by native_visit_roots */
    return r;
}

/* All parsed signatures, one per definition, for sharing and for the collectors: a hash table by definition. */
static struct SigEntry {
    const NativeDef *def;
    NativeSig *sig;
} *sig_table;
static size_t sig_cap, sig_used;
#include "mutex.h"
static Mutex sig_mutex = MUTEX_INIT(RANK_MODULE);

static size_t sig_slot(struct SigEntry *t, size_t cap, const NativeDef *def) {
    size_t i = (size_t)((uintptr_t)def * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
    while (t[i].def && t[i].def != def)
        i = (i + 1) & (cap - 1);
    return i;
}

NativeSig *native_sig(Native *n) {
    NativeSig *s = LOAD_ACQUIRE(&n->sig);
    if (s)
        return s;
    mutex_lock(&sig_mutex);
    if (sig_cap)
        s = sig_table[sig_slot(sig_table, sig_cap, n->def)].sig;
    mutex_unlock(&sig_mutex);
    if (!s) {
        NativeSig *made = parse_sig(n->def->sig);
        if (!made)
            return NULL;
        struct SigEntry *old = NULL;
        mutex_lock(&sig_mutex);
        if ((sig_used + 1) * 2 > sig_cap) {
            size_t cap = sig_cap ? sig_cap * 2 : 1024;
            struct SigEntry *t = calloc(cap, sizeof *t);
            if (t) {
                for (size_t i = 0; i < sig_cap; i++)
                    if (sig_table[i].def)
                        t[sig_slot(t, cap, sig_table[i].def)] = sig_table[i];
                old = sig_table;
                sig_table = t;
                sig_cap = cap;
            }
        }
        s = made;
        if (sig_cap && sig_used + 1 < sig_cap) {
            struct SigEntry *e = &sig_table[sig_slot(sig_table, sig_cap, n->def)];
            if (e->def)
                s = e->sig;
            else {
                *e = (struct SigEntry){n->def, made};
                sig_used++;
            }
        }
        mutex_unlock(&sig_mutex);
        free(old);
        if (s != made)
            free(made);
    }
    STORE_RELEASE(&n->sig, s); /* pairs with the acquire in native_call_with */
    return s;
}

void native_visit_roots(VisitFn visit, void *arg) {
    for (size_t i = 0; i < sig_cap; i++)
        if (sig_table[i].sig)
            for (int k = 0; k < sig_table[i].sig->n_total; k++)
                visit(sig_table[i].sig->names[k], arg);
}

/* ---- binding ---- */

static bool is_constructor(const Native *n) {
    return n->owner && (strcmp(n->def->name, "__new__") == 0 || strcmp(n->def->name, "__init__") == 0);
}
/* How messages name the function: "append", "len"; a constructor by its class. */
static Value display_name(Native *n) {
    if (is_constructor(n))
        return str_format_c("%s", n->owner->c_name ? n->owner->c_name : "object");
    return str_from_c(n->def->name);
}
/* The same with where it is: "list.append", "math.sqrt", but "len". */
static Value qualified(Native *n) {
    if (n->owner && strcmp(n->def->name, "__new__") != 0)
        return str_format_c("%s.%s", n->owner->c_name, n->def->name);
    Value module = n->owner ? ABSENT : ref_peek(&n->module);
    if (module != ABSENT && v_is_str(module) && !str_equal(module, ID("builtins")))
        return str_format_c("%S.%s", module, n->def->name);
    return display_name(n);
}

static COLD Value count_error(Native *n, NativeSig *s, intptr_t nargs, intptr_t given_all) {
    Value name;
    bool only_positional = s->n_posonly == s->n_total && !s->var_kw;
    bool fixed = only_positional && s->n_required == s->n_pos && !s->var_args;
    if (fixed && s->n_pos == 0) {
        name = qualified(n);
        err_set(&exc_TypeError, "%S() takes no arguments (%zd given)", name, given_all);
    } else if (fixed && s->n_pos == 1 && !is_constructor(n)) {
        name = qualified(n);
        err_set(&exc_TypeError, "%S() takes exactly one argument (%zd given)", name, nargs);
    } else if (only_positional || (s->n_posonly == s->n_pos && nargs < s->n_required && s->n_total == s->n_pos)) {
        name = display_name(n);
        if (s->n_required == s->n_pos)
            err_set(&exc_TypeError, "%S expected %d argument%s, got %zd", name, s->n_pos, s->n_pos == 1 ? "" : "s",
                    nargs);
        else if (nargs < s->n_required)
            err_set(&exc_TypeError, "%S expected at least %d argument%s, got %zd", name, s->n_required,
                    s->n_required == 1 ? "" : "s", nargs);
        else
            err_set(&exc_TypeError, "%S expected at most %d argument%s, got %zd", name, s->n_pos,
                    s->n_pos == 1 ? "" : "s", nargs);
    } else {
        name = display_name(n);
        int max = s->n_pos, total = s->n_total;
        if (s->n_pos == 0 && total > 0)
            err_set(&exc_TypeError, "%S() takes no positional arguments", name);
        else if (nargs > max && max < total)
            err_set(&exc_TypeError, "%S() takes %s %d positional argument%s (%zd given)", name,
                    s->n_required < max ? "at most" : "exactly", max, max == 1 ? "" : "s", nargs);
        else
            err_set(&exc_TypeError, "%S() takes %s %d %sargument%s (%zd given)", name,
                    s->n_required < total ? "at most" : "exactly", total, nargs == 0 && given_all > 0 ? "keyword " : "",
                    total == 1 ? "" : "s", given_all);
    }
    release(name);
    return ABSENT;
}

Value native_bind_call(Native *n, Value self, Value *args, intptr_t nargs, Value kwnames) {
    NativeSig *s = native_sig(n);
    if (!s)
        return ABSENT;
    intptr_t nk = kwnames ? tuple_len(kwnames) : 0;
    if (nk == 0) {
        if (s->var_args || (nargs >= s->n_required && nargs <= s->n_pos)) {
            if (s->var_args && nargs < s->n_required)
                return count_error(n, s, nargs, nargs);
            if (!s->required_kwonly)
                return n->fn(self, args, nargs, ABSENT);
        } else if (nargs > s->n_pos)
            return count_error(n, s, nargs, nargs);
    }
    if (s->var_kw) {
        if (s->n_pos == s->n_posonly && s->n_total == s->n_pos) { /* everything by name is extra */
            if (nargs < s->n_required || (!s->var_args && nargs > s->n_pos))
                return count_error(n, s, nargs, nargs + nk);
            return n->fn(self, args, nargs, nk ? kwnames : ABSENT);
        }
    } else if (nk && s->n_total == s->n_posonly && !s->var_args) {
        /* A class with an __init__ of its own may give names a meaning there. */
        if (n->special == NATIVE_NEW && v_is_type(self) &&
            type_special((Type *)self, SP_INIT) != type_special(n->owner, SP_INIT))
            return native_bind_call(n, self, args, nargs, ABSENT);
        Value name = qualified(n);
        err_set(&exc_TypeError, "%S() takes no keyword arguments", name);
        release(name);
        return ABSENT;
    }
    if (s->var_args) {
        /* Positional ones as they are; the named keyword-only ones are passed as kw, with interned names. */
        if (nk == 0)
            return n->fn(self, args, nargs, ABSENT);
        Value names = tuple_new(nk);
        if (!names)
            return ABSENT;
        for (intptr_t i = 0; i < nk; i++) {
            Value k = tuple_get(kwnames, i);
            int found = -1;
            for (int j = s->n_pos; j < s->n_total; j++)
                if (s->names[j] == k || str_equal(s->names[j], k))
                    found = j;
            if (found < 0 && !s->var_kw) {
                Value name = display_name(n);
                if (s->n_total == s->n_pos)
                    err_set(&exc_TypeError, "%S() takes no keyword arguments", name);
                else
                    err_set(&exc_TypeError, "%R is an invalid keyword argument for %S()", k, name);
                release(name);
                release(names);
                return ABSENT;
            }
            tuple_init_item(names, i, retained(found < 0 ? k : s->names[found]));
        }
        Value r = n->fn(self, args, nargs, names);
        release(names);
        return r;
    }
    if (nargs > s->n_pos)
        return count_error(n, s, nargs, nargs + nk);
    if (nargs + nk > s->n_total && !s->var_kw)
        return count_error(n, s, nargs, nargs + nk);
    /* Flat, in the order of the signature; extra keywords behind. */
    Value flat[64];
    if (s->n_total + nk > (intptr_t)ARRAY_LEN(flat))
        return err_set(&exc_TypeError, "too many keyword arguments");
    for (intptr_t i = 0; i < s->n_total; i++)
        flat[i] = i < nargs ? args[i] : ABSENT;
    Value extra_names = ABSENT;
    intptr_t n_extra = 0;
    for (intptr_t i = 0; i < nk; i++) {
        Value k = tuple_get(kwnames, i), v = args[nargs + i];
        int found = -1;
        for (int j = s->n_posonly; j < s->n_total && found < 0; j++)
            if (s->names[j] == k)
                found = j;
        for (int j = s->n_posonly; j < s->n_total && found < 0; j++)
            if (str_equal(s->names[j], k))
                found = j;
        if (found < 0) {
            if (!s->var_kw) {
                Value name = display_name(n);
                err_set(&exc_TypeError, "%R is an invalid keyword argument for %S()", k, name);
                release(name);
                return ABSENT;
            }
            flat[s->n_total + n_extra++] = v;
            continue;
        }
        if (flat[found]) {
            Value name = display_name(n);
            if (found < nargs)
                err_set(&exc_TypeError, "argument for %S() given by name ('%S') and position (%d)", name,
                        s->names[found], found + 1);
            else
                err_set(&exc_TypeError, "%S() got multiple values for argument '%S'", name, s->names[found]);
            release(name);
            return ABSENT;
        }
        flat[found] = v;
    }
    for (int i = 0; i < MIN(s->n_required, s->n_total); i++)
        if (!flat[i]) {
            if (s->n_posonly == s->n_total)
                return count_error(n, s, nargs, nargs + nk);
            Value name = display_name(n);
            if (i < s->n_posonly)
                err_set(&exc_TypeError, "%S() takes %s %d positional argument%s (%zd given)", name,
                        s->n_required == s->n_pos ? "exactly" : "at least", s->n_required,
                        s->n_required == 1 ? "" : "s", nargs);
            else
                err_set(&exc_TypeError, "%S() missing required argument '%S' (pos %d)", name, s->names[i], i + 1);
            release(name);
            return ABSENT;
        }
    if (s->required_kwonly)
        for (int i = s->n_pos; i < s->n_total; i++)
            if (!flat[i]) {
                /* the parameter has no default when the text has no '=' behind its name */
                const char *nm = str_utf8(s->names[i], NULL), *at = nm ? strstr(n->def->sig, nm) : NULL;
                while (at && (isalnum((unsigned char)at[strlen(nm)]) || at[strlen(nm)] == '_'))
                    at = strstr(at + 1, nm);
                if (at && at[strlen(nm)] != '=') {
                    Value name = display_name(n);
                    err_set(&exc_TypeError, "%S() missing required argument '%S' (pos %d)", name, s->names[i], i + 1);
                    release(name);
                    return ABSENT;
                }
            }
    if (n_extra) {
        extra_names = tuple_new(n_extra);
        if (!extra_names)
            return ABSENT;
        intptr_t at = 0;
        for (intptr_t i = 0; i < nk; i++) {
            Value k = tuple_get(kwnames, i);
            bool known = false;
            for (int j = s->n_posonly; j < s->n_total; j++)
                known |= str_equal(s->names[j], k);
            if (!known)
                tuple_init_item(extra_names, at++, retained(k));
        }
    }
    Value r = n->fn(self, flat, s->n_total, extra_names);
    release(extra_names);
    return r;
}

/* `__new__` as found in a class: the class comes first among the arguments. */
static Value call_new(Native *n, Value *args, intptr_t nargs, Value kwnames) {
    if (nargs < 1 || !v_is_type(args[0])) {
        if (nargs < 1)
            return err_set(&exc_TypeError, "%s.__new__(): not enough arguments", type_cname(n->owner));
        return err_set(&exc_TypeError, "%s.__new__(X): X is not a type object (%T)", type_cname(n->owner), args[0]);
    }
    Type *t = (Type *)args[0];
    if (!type_is_subtype(t, n->owner))
        return err_set(&exc_TypeError, "%s.__new__(%s): %s is not a subtype of %s", type_cname(n->owner), type_cname(t),
                       type_cname(t), type_cname(n->owner));
    /* The layout's own __new__ must be the one called: object.__new__(dict) would make half a dict. */
    Type *st = t;
    while (st->flags & TF_HEAP)
        st = st->base;
    Value own = type_special(st, SP_NEW);
    if (own && own != V_OF(n) && v_is_exact(own, IDX_NATIVE) && ((Native *)own)->fn != n->fn)
        return err_set(&exc_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", type_cname(n->owner),
                       type_cname(t), type_cname(st));
    return native_call_with(n, args[0], args + 1, nargs - 1, kwnames);
}

Value native_wrong_self(Native *n, Value self) {
    return err_set(&exc_TypeError,
                   strncmp(n->def->name, "__", 2) == 0
                       ? "descriptor '%s' requires a '%s' object but received a '%T'"
                       : "descriptor '%s' for '%s' objects doesn't apply to a '%T' object",
                   n->def->name, n->owner->c_name, self);
}

Value native_call(Value native, Value self, Value *args, intptr_t nargs, Value kwnames) {
    Native *n = (Native *)native;
    uint32_t idx = obj_index(native);
    if (idx == IDX_NATIVE) {
        if (UNLIKELY(n->special == NATIVE_NEW))
            return call_new(n, args, nargs, kwnames);
        return native_call_with(n, ref_peek(&n->self), args, nargs, kwnames);
    }
    if (self == ABSENT) {
        if (nargs < 1)
            return err_set(&exc_TypeError, "unbound method %s.%s() needs an argument", n->owner->c_name, n->def->name);
        self = args[0];
        args++;
        nargs--;
    }
    if (idx == IDX_CLASSMETHOD_DESCR) {
        if (!v_is_type(self))
            return err_set(&exc_TypeError, "descriptor '%s' for type '%s' needs a type, not a '%T' as arg 2",
                           n->def->name, n->owner->c_name, self);
    } else if (UNLIKELY(!type_is_subtype(type_of(self), n->owner)))
        return native_wrong_self(n, self);
    return native_call_with(n, self, args, nargs, kwnames);
}

/* ---- making natives ---- */

static Value make(Type *t, const NativeDef *def, Type *owner, Value self, Value module) {
    Value v = obj_new(t);
    if (!v)
        return ABSENT;
    Native *n = (Native *)v;
    n->fn = def->fn;
    n->def = def;
    n->owner = owner;
    ref_init(&n->self, retained(self));
    ref_init(&n->module, retained(module));
    return v;
}

Value native_new(const NativeDef *def, Value self, Value module_name) {
    bool is_new = v_is_type(self) && strcmp(def->name, "__new__") == 0;
    Value v = make(&native_type, def, is_new ? (Type *)self : NULL, self, module_name);
    if (v)
        ((Native *)v)->special = is_new ? NATIVE_NEW : def->flags & NF_CLEAN ? NATIVE_CLEAN : NATIVE_PLAIN;
    return v;
}
Value method_descr_new(const NativeDef *def, Type *owner) {
    return make(&method_descr_type, def, owner, ABSENT, ABSENT);
}
Value classmethod_descr_new(const NativeDef *def, Type *owner) {
    return make(&classmethod_descr_type, def, owner, ABSENT, ABSENT);
}
Value native_bound(Native *descr, Value self) {
    NativeSig *sig = native_sig(descr); /* here, so that it is found once and not by each bound method */
    Value v = sig ? make(&native_type, descr->def, descr->owner, self, ABSENT) : ABSENT;
    if (v)
        STORE_RELAXED(&((Native *)v)->sig, sig);
    return v;
}
