/* capsule: a C pointer as an object. */
#include "object/exc.h"
#include "object/native.h"
#include "object/str.h"

Type capsule_type;

typedef struct Capsule {
    Object hdr;
    void *pointer;
    const char *name;
} Capsule;

Value capsule_new(void *p, const char *name) {
    Value v = obj_new(&capsule_type);
    if (v) {
        ((Capsule *)v)->pointer = p;
        ((Capsule *)v)->name = name;
    }
    return v;
}
void *capsule_get(Value v, const char *name) {
    if (!v_is_exact(v, IDX_CAPSULE) || strcmp(((Capsule *)v)->name, name) != 0) {
        err_set(&exc_ValueError, "PyCapsule_GetPointer called with incorrect name");
        return NULL;
    }
    return ((Capsule *)v)->pointer;
}
static Value repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<capsule object \"%s\" at 0x%zx>", ((Capsule *)self)->name, (size_t)obj_id(self));
}
static const NativeDef methods[] = {{"__repr__", repr, "($self, /)", 0, "Return repr(self)."}, {0}};
static const TypeSpec spec = {
    .name = "PyCapsule", .basic_size = sizeof(Capsule), .flags = TF_NO_NEW | TF_UNTRACKED, .methods = methods};
void capsule_init(void) {
    type_init_static(&capsule_type, IDX_CAPSULE, &spec);
}
