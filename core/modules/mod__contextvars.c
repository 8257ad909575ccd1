/* _contextvars: context variables. A Context holds an immutable snapshot dict, replaced as a whole when a variable is
 * set: copying a context is one reference. Only the thread that has entered a context writes it. */
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"

static Type context_type, var_type, token_type;
static Value token_missing = ABSENT;

typedef struct Context {
    Object hdr;
    Ref vars;     /* dict ContextVar -> value, never changed in place */
    Ref previous; /* the context that was current when this one was entered, or ABSENT */
    _Atomic(bool) entered;
} Context;
typedef struct ContextVar {
    Object hdr;
    Ref name, dflt; /* dflt ABSENT: none */
} ContextVar;
typedef struct Token {
    Object hdr;
    Ref context, var, old; /* old ABSENT: the variable was not set */
    _Atomic(bool) used;
} Token;

static void context_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Context *)self)->vars), arg);
    visit(ref_peek(&((Context *)self)->previous), arg);
}
static void context_clear(Value self) {
    ref_clear(self, &((Context *)self)->vars);
    ref_clear(self, &((Context *)self)->previous);
}
static void var_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((ContextVar *)self)->name), arg);
    visit(ref_peek(&((ContextVar *)self)->dflt), arg);
}
static void var_clear(Value self) {
    ref_clear(self, &((ContextVar *)self)->name);
    ref_clear(self, &((ContextVar *)self)->dflt);
}
static void token_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Token *)self)->context), arg);
    visit(ref_peek(&((Token *)self)->var), arg);
    visit(ref_peek(&((Token *)self)->old), arg);
}
static void token_clear(Value self) {
    ref_clear(self, &((Token *)self)->context);
    ref_clear(self, &((Token *)self)->var);
    ref_clear(self, &((Token *)self)->old);
}
static const TypeOps context_ops = {context_traverse, context_clear, NULL}, var_ops = {var_traverse, var_clear, NULL},
                     token_ops = {token_traverse, token_clear, NULL};

static Value load(Value holder, Ref *r) {
    ExclCs cs;
    excl_read_begin(&cs, holder);
    Value v = ref_load(holder, r);
    excl_read_end(&cs);
    return v;
}
static void store(Value holder, Ref *r, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, holder);
    Value old = ref_swap(holder, r, v);
    excl_cs_end(&cs);
    release(old);
}

static Value context_make(Value vars /* stolen */) {
    Value c = vars == ABSENT ? ABSENT : obj_new(&context_type);
    if (c == ABSENT) {
        release(vars);
        return ABSENT;
    }
    ref_init(&((Context *)c)->vars, vars);
    trace_track(v_obj(c));
    return c;
}
/* The current thread's context: borrowed, made on demand. */
static Value current(void) {
    Thread *t = thread_self();
    if (t->context == ABSENT)
        t->context = context_make(dict_new());
    return t->context;
}

static Value var_lookup(Value var, Value dflt) {
    Value ctx = thread_self()->context;
    if (ctx != ABSENT) {
        Value vars = load(ctx, &((Context *)ctx)->vars), v;
        int r = dict_lookup(vars, var, &v);
        release(vars);
        if (r)
            return r < 0 ? ABSENT : v;
    }
    if (dflt != ABSENT)
        return retained(dflt);
    Value d = ref_peek(&((ContextVar *)var)->dflt);
    return d != ABSENT ? retained(d) : err_set_value(&exc_LookupError, var);
}
static int var_assign(Value ctx, Value var, Value v /* ABSENT: unset */) {
    Value vars = load(ctx, &((Context *)ctx)->vars), copy = dict_copy(vars);
    release(vars);
    if (copy == ABSENT || (v == ABSENT ? dict_del(copy, var) : dict_set(copy, var, v)) < 0) {
        release(copy);
        return -1;
    }
    store(ctx, &((Context *)ctx)->vars, copy);
    return 0;
}

/* ---- ContextVar ---- */

static Value var_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "context variable name must be a str");
    Value self = obj_new(&var_type);
    if (self == ABSENT)
        return ABSENT;
    ref_init(&((ContextVar *)self)->name, retained(args[0]));
    ref_init(&((ContextVar *)self)->dflt, retained(arg_at(args, nargs, 1)));
    trace_track(v_obj(self));
    return self;
}
static Value var_get(Value self, Value *args, intptr_t nargs, Value kw) {
    return var_lookup(self, arg_at(args, nargs, 0));
}
static Value var_set(Value self, Value *args, intptr_t nargs, Value kw) {
    Value ctx = current();
    if (ctx == ABSENT)
        return ABSENT;
    Value vars = load(ctx, &((Context *)ctx)->vars), old = ABSENT;
    int r = dict_lookup(vars, self, &old);
    release(vars);
    if (r < 0)
        return ABSENT;
    Value token = obj_new(&token_type);
    if (token == ABSENT) {
        release(old);
        return ABSENT;
    }
    ref_init(&((Token *)token)->context, retained(ctx));
    ref_init(&((Token *)token)->var, retained(self));
    ref_init(&((Token *)token)->old, r ? old : ABSENT);
    trace_track(v_obj(token));
    if (var_assign(ctx, self, args[0]) < 0) {
        release(token);
        return ABSENT;
    }
    return token;
}
static Value var_reset(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_obj(args[0]) || type_of(args[0]) != &token_type)
        return err_set(&exc_TypeError, "expected an instance of Token, got %R", args[0]);
    Token *t = (Token *)args[0];
    if (atomic_load(&t->used))
        return err_set(&exc_RuntimeError, "%R has already been used once", args[0]);
    if (ref_peek(&t->var) != self)
        return err_set(&exc_ValueError, "%R was created by a different ContextVar", args[0]);
    Value ctx = current();
    if (ctx == ABSENT)
        return ABSENT;
    if (ref_peek(&t->context) != ctx)
        return err_set(&exc_ValueError, "%R was created in a different Context", args[0]);
    if (atomic_exchange(&t->used, true))
        return err_set(&exc_RuntimeError, "%R has already been used once", args[0]);
    return var_assign(ctx, self, ref_peek(&t->old)) < 0 ? ABSENT : V_NONE;
}
static Value var_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    ContextVar *v = (ContextVar *)self;
    Value d = ref_peek(&v->dflt);
    return d == ABSENT
               ? str_format_c("<ContextVar name=%R at 0x%llx>", ref_peek(&v->name), (unsigned long long)obj_id(self))
               : str_format_c("<ContextVar name=%R default=%R at 0x%llx>", ref_peek(&v->name), d,
                              (unsigned long long)obj_id(self));
}

/* ---- Context ---- */

static Value context_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return context_make(dict_new());
}
static Value vars_of(Value self) {
    return load(self, &((Context *)self)->vars);
}
static Value context_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return context_make(vars_of(self));
}
static Value context_run(Value self, Value *args, intptr_t nargs, Value kw) {
    Context *c = (Context *)self;
    Thread *t = thread_self();
    if (nargs < 1)
        return err_set(&exc_TypeError, "run() missing 1 required positional argument");
    if (atomic_exchange(&c->entered, true))
        return err_set(&exc_RuntimeError, "cannot enter context: %R is already entered", self);
    Value before = t->context;
    t->context = retained(self);
    Value r = obj_call(args[0], args + 1, nargs - 1, kw);
    Value mine = t->context;
    t->context = before;
    atomic_store(&c->entered, false);
    release(mine);
    return r;
}
static int check_key(Value k) {
    if (v_is_obj(k) && type_of(k) == &var_type)
        return 0;
    err_set(&exc_TypeError, "a ContextVar key was expected, got %R", k);
    return -1;
}
static Value context_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    if (check_key(args[0]) < 0)
        return ABSENT;
    Value vars = vars_of(self), v;
    int r = dict_lookup(vars, args[0], &v);
    release(vars);
    return r > 0 ? v : r < 0 ? ABSENT : err_key(args[0]);
}
static Value context_get(Value self, Value *args, intptr_t nargs, Value kw) {
    if (check_key(args[0]) < 0)
        return ABSENT;
    Value vars = vars_of(self), v;
    int r = dict_lookup(vars, args[0], &v);
    release(vars);
    return r > 0 ? v : r < 0 ? ABSENT : nargs > 1 ? retained(args[1]) : V_NONE;
}
static Value context_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    if (check_key(args[0]) < 0)
        return ABSENT;
    Value vars = vars_of(self);
    int r = dict_contains(vars, args[0]);
    release(vars);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value context_len(Value self, Value *args, intptr_t nargs, Value kw) {
    Value vars = vars_of(self);
    intptr_t n = dict_len(vars);
    release(vars);
    return v_from_int(n);
}
static Value via_dict(Value self, const char *method) {
    Value vars = vars_of(self), r = obj_call_method_str(vars, method, NULL, 0);
    release(vars);
    return r;
}
static Value context_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return via_dict(self, "__iter__");
}
static Value context_keys(Value self, Value *args, intptr_t nargs, Value kw) {
    return via_dict(self, "keys");
}
static Value context_values(Value self, Value *args, intptr_t nargs, Value kw) {
    return via_dict(self, "values");
}
static Value context_items(Value self, Value *args, intptr_t nargs, Value kw) {
    return via_dict(self, "items");
}
static Value context_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_obj(args[0]) || type_of(args[0]) != &context_type)
        return V_NOTIMPL;
    Value a = vars_of(self), b = vars_of(args[0]);
    int r = obj_eq(a, b);
    release(a);
    release(b);
    return r < 0 ? ABSENT : v_bool(r);
}

/* ---- Token ---- */

static Value token_old(Value self) {
    Value v = ref_peek(&((Token *)self)->old);
    return retained(v == ABSENT ? token_missing : v);
}
static Value token_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Token *t = (Token *)self;
    return str_format_c("<Token%s var=%R at 0x%llx>", atomic_load(&t->used) ? " used" : "", ref_peek(&t->var),
                        (unsigned long long)obj_id(self));
}
static Value missing_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_from_c("<Token.MISSING>");
}

static Value copy_context(Value self, Value *args, intptr_t nargs, Value kw) {
    Value ctx = current();
    return ctx == ABSENT ? ABSENT : context_make(vars_of(ctx));
}

static const NativeDef var_methods[] = {
    {"__new__", var_new, "($type, name, /, *, default=<unrepresentable>)", NF_STATIC},
    {"get", var_get, "($self, default=<unrepresentable>, /)"},
    {"set", var_set, "($self, value, /)"},
    {"reset", var_reset, "($self, token, /)"},
    {"__repr__", var_repr, "($self, /)"},
    CLASS_GETITEM_DEF,
    {NULL}};
static const MemberDef var_members[] = {{"name", MK_REF | MK_READONLY, offsetof(ContextVar, name), NULL}, {NULL}};
static const NativeDef context_methods[] = {{"__new__", context_new, "($type, /)", NF_STATIC},
                                            {"run", context_run, "($self, *args, **kwargs)"},
                                            {"copy", context_copy, "($self, /)"},
                                            {"get", context_get, "($self, key, default=None, /)"},
                                            {"keys", context_keys, "($self, /)"},
                                            {"values", context_values, "($self, /)"},
                                            {"items", context_items, "($self, /)"},
                                            {"__getitem__", context_getitem, "($self, key, /)"},
                                            {"__contains__", context_contains, "($self, key, /)"},
                                            {"__len__", context_len, "($self, /)"},
                                            {"__iter__", context_iter, "($self, /)"},
                                            {"__eq__", context_eq, "($self, value, /)"},
                                            {NULL}};
static const NativeDef token_methods[] = {{"__repr__", token_repr, "($self, /)"}, CLASS_GETITEM_DEF, {NULL}};
static const GetSetDef token_getsets[] = {{"old_value", token_old}, {NULL}};
static const MemberDef token_members[] = {{"var", MK_REF | MK_READONLY, offsetof(Token, var), NULL}, {NULL}};
static const NativeDef missing_methods[] = {{"__repr__", missing_repr, "($self, /)"}, {NULL}};
static const NativeDef functions[] = {{"copy_context", copy_context, "($module, /)"}, {NULL}};

static int fill(Value m) {
    static const TypeSpec context_spec = {.name = "_contextvars.Context",
                                          .basic_size = sizeof(Context),
                                          .flags = TF_WEAKREF,
                                          .ops = &context_ops,
                                          .methods = context_methods};
    static const TypeSpec var_spec = {.name = "_contextvars.ContextVar",
                                      .basic_size = sizeof(ContextVar),
                                      .flags = TF_WEAKREF,
                                      .ops = &var_ops,
                                      .methods = var_methods,
                                      .members = var_members};
    static const TypeSpec token_spec = {.name = "_contextvars.Token",
                                        .basic_size = sizeof(Token),
                                        .flags = TF_NO_NEW,
                                        .ops = &token_ops,
                                        .methods = token_methods,
                                        .getsets = token_getsets,
                                        .members = token_members};
    static const TypeSpec missing_spec = {
        .name = "Token.MISSING", .basic_size = sizeof(Object), .flags = TF_NO_NEW, .methods = missing_methods};
    static Type missing_type;
    type_init_module_type(&context_type, &context_spec);
    type_init_module_type(&var_type, &var_spec);
    type_init_module_type(&token_type, &token_spec);
    type_init_module_type(&missing_type, &missing_spec);
    token_missing = obj_new(&missing_type);
    return token_missing == ABSENT || dict_set_str(ref_peek(&token_type.dict), "MISSING", token_missing) < 0 ||
                   module_add_type(m, &context_type) < 0 || module_add_type(m, &var_type) < 0 ||
                   module_add_type(m, &token_type) < 0
               ? -1
               : 0;
}
const ModuleSpec module__contextvars = {
    .name = "_contextvars", .doc = "Context Variables", .functions = functions, .exec = fill};
