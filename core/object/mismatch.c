/* A built-in class's method as the special method of a class that does not inherit from it (`__len__ = list.__len__`).
 * What calls special methods trusts a method_descr's owner; so the table of special methods holds, in the place of such
 * a one, an object whose __get__ raises what the descriptor itself would. One per descriptor, for ever. */
#include "mutex.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/type_impl.h"

typedef struct Mismatch {
    Object hdr;
    Native *descr; /* built-in classes live as long as the process */
    struct Mismatch *next;
} Mismatch;

static Type mismatch_type;
static Mutex mutex = MUTEX_INIT(RANK_MODULE);
static Mismatch *all;

static Value mismatch_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Native *n = ((Mismatch *)self)->descr;
    return native_wrong_self(n, args[0]);
}
static const NativeDef methods[] = {{"__get__", mismatch_get, "($self, instance, owner=None, /)"}, {0}};
static const TypeSpec spec = {.name = "wrapper_descriptor",
                              .basic_size = sizeof(Mismatch),
                              .flags = TF_NO_NEW | TF_UNTRACKED,
                              .methods = methods};

void mismatch_init(void) {
    type_init_module_type(&mismatch_type, &spec);
}

bool special_is_mismatch(Value v) {
    return type_of(v) == &mismatch_type;
}

Value special_for(Type *t, int sp, Value v) {
    if (!(t->flags & TF_HEAP))
        return v;
    /* Whatever built-in __new__ a class names, what is made is laid out as its built-in base wants it. */
    if (sp == SP_NEW && v_is_exact(v, IDX_NATIVE) && ((Native *)v)->special == NATIVE_NEW) {
        Type *b = t->base;
        while (b->flags & TF_HEAP)
            b = b->base;
        return type_special(b, SP_NEW);
    }
    if (!v_is_exact(v, IDX_METHOD_DESCR) || type_is_subtype(t, ((Native *)v)->owner))
        return v;
    mutex_lock(&mutex);
    Mismatch *m = all;
    while (m != NULL && m->descr != (Native *)v)
        m = m->next;
    if (m == NULL) {
        m = calloc(1, sizeof *m);
        if (m == NULL)
            fatal("out of memory");
        STORE_RELAXED(&m->hdr.index, shape_index(mismatch_type.root));
        obj_set_immortal(&m->hdr);
        m->descr = (Native *)v;
        m->next = all;
        all = m;
    }
    mutex_unlock(&mutex);
    return V_OF(m);
}
