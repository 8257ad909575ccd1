/* Types, shapes and the static descriptions from which built-in types are made.
 *
 *   Shape    what an object's header index points to: its type, how to trace it, and (for instances with attributes)
 * which name sits in which slot. 64 bytes in the shape region. A built-in type's root shape has a constant index. Type
 * a class object. Built-in types are static, immortal Type structs; classes made by Python code are heap objects of the
 * same layout (metaclass from their header). special  Type.special[SP_x] is the method found along the MRO for a
 * special name, or ABSENT: operators dispatch on it. It is kept up to date when a class changes. Whatever it holds is
 * uncounted or immortal, so it is read without a lock and borrowed.
 *
 * Instance layout: [header][type's own C fields, basic_size][attrs word][inline slot 0 .. inline_slots-1]. The attrs
 * word exists when TF_HAS_DICT: 0; or an overflow block of further slots, tagged with bit 0; or the instance's __dict__
 * once it was asked for (shape flag SF_DICT_MODE). What the word holds is told by its own tag, never by the shape
 * alone: a reader may have seen an older shape.
 */
#ifndef POLYGIL_TYPE_H
#define POLYGIL_TYPE_H

#include "backend/ref.h"

typedef void (*VisitFn)(Value v, void *arg);

/* How the heap and the collectors treat instances of a built-in layout. All may be NULL. None may allocate or run
 * Python code. */
typedef struct TypeOps {
    /* Calls visit on every Value field (ABSENT and immediates allowed). World stopped, or object unreachable. */
    void (*traverse)(Value self, VisitFn visit, void *arg);
    /* Empties every reference field with ref_clear; the object stays valid. Called when it dies and to break cycles. */
    void (*clear)(Value self);
    /* Frees memory that is not an object (buffers, limbs), closes nothing. Last call. Holds no references any more. */
    void (*fini)(Value self);
} TypeOps;

struct Shape {
    Type *type;
    const TypeOps *ops;
    Shape *parent;               /* shape before the last attribute was added */
    _Atomic(Value) name;         /* the attribute it added (interned, immortal), ABSENT for a root */
    _Atomic(void *) transitions; /* object/shape.c */
    _Atomic(void *) table;       /* name -> slot, built when large: object/shape.c */
    uint32_t n_attrs;            /* slots in use, holes counted */
    uint16_t inline_slots;       /* how many of them lie in the object */
    uint16_t slots_offset;       /* byte offset of the attrs word, 0 when none */
    uint32_t flags;              /* SF_* */
    uint32_t layout_id;
};
_Static_assert(sizeof(struct Shape) == 64, "a shape is 64 bytes: built-in indices depend on it");

enum { SF_DICT_MODE = 1, SF_ROOT = 2 };

/* Special methods: SPECIAL(id, "__name__"). */
#define SPECIAL_METHODS(X)                \
    X(NEW, "__new__")                     \
    X(INIT, "__init__")                   \
    X(DEL, "__del__")                     \
    X(REPR, "__repr__")                   \
    X(STR, "__str__")                     \
    X(BYTES, "__bytes__")                 \
    X(FORMAT, "__format__")               \
    X(HASH, "__hash__")                   \
    X(BOOL, "__bool__")                   \
    X(LT, "__lt__")                       \
    X(LE, "__le__")                       \
    X(EQ, "__eq__")                       \
    X(NE, "__ne__")                       \
    X(GT, "__gt__")                       \
    X(GE, "__ge__")                       \
    X(GETATTRIBUTE, "__getattribute__")   \
    X(GETATTR, "__getattr__")             \
    X(SETATTR, "__setattr__")             \
    X(DELATTR, "__delattr__")             \
    X(DIR, "__dir__")                     \
    X(GET, "__get__")                     \
    X(SET, "__set__")                     \
    X(DELETE, "__delete__")               \
    X(CALL, "__call__")                   \
    X(LEN, "__len__")                     \
    X(LENGTH_HINT, "__length_hint__")     \
    X(GETITEM, "__getitem__")             \
    X(SETITEM, "__setitem__")             \
    X(DELITEM, "__delitem__")             \
    X(MISSING, "__missing__")             \
    X(ITER, "__iter__")                   \
    X(NEXT, "__next__")                   \
    X(REVERSED, "__reversed__")           \
    X(CONTAINS, "__contains__")           \
    X(ADD, "__add__")                     \
    X(SUB, "__sub__")                     \
    X(MUL, "__mul__")                     \
    X(MATMUL, "__matmul__")               \
    X(TRUEDIV, "__truediv__")             \
    X(FLOORDIV, "__floordiv__")           \
    X(MOD, "__mod__")                     \
    X(DIVMOD, "__divmod__")               \
    X(POW, "__pow__")                     \
    X(LSHIFT, "__lshift__")               \
    X(RSHIFT, "__rshift__")               \
    X(AND, "__and__")                     \
    X(XOR, "__xor__")                     \
    X(OR, "__or__")                       \
    X(RADD, "__radd__")                   \
    X(RSUB, "__rsub__")                   \
    X(RMUL, "__rmul__")                   \
    X(RMATMUL, "__rmatmul__")             \
    X(RTRUEDIV, "__rtruediv__")           \
    X(RFLOORDIV, "__rfloordiv__")         \
    X(RMOD, "__rmod__")                   \
    X(RDIVMOD, "__rdivmod__")             \
    X(RPOW, "__rpow__")                   \
    X(RLSHIFT, "__rlshift__")             \
    X(RRSHIFT, "__rrshift__")             \
    X(RAND, "__rand__")                   \
    X(RXOR, "__rxor__")                   \
    X(ROR, "__ror__")                     \
    X(IADD, "__iadd__")                   \
    X(ISUB, "__isub__")                   \
    X(IMUL, "__imul__")                   \
    X(IMATMUL, "__imatmul__")             \
    X(ITRUEDIV, "__itruediv__")           \
    X(IFLOORDIV, "__ifloordiv__")         \
    X(IMOD, "__imod__")                   \
    X(IPOW, "__ipow__")                   \
    X(ILSHIFT, "__ilshift__")             \
    X(IRSHIFT, "__irshift__")             \
    X(IAND, "__iand__")                   \
    X(IXOR, "__ixor__")                   \
    X(IOR, "__ior__")                     \
    X(NEG, "__neg__")                     \
    X(POS, "__pos__")                     \
    X(ABS, "__abs__")                     \
    X(INVERT, "__invert__")               \
    X(COMPLEX, "__complex__")             \
    X(INT, "__int__")                     \
    X(FLOAT, "__float__")                 \
    X(INDEX, "__index__")                 \
    X(ROUND, "__round__")                 \
    X(TRUNC, "__trunc__")                 \
    X(FLOOR, "__floor__")                 \
    X(CEIL, "__ceil__")                   \
    X(ENTER, "__enter__")                 \
    X(EXIT, "__exit__")                   \
    X(AWAIT, "__await__")                 \
    X(AITER, "__aiter__")                 \
    X(ANEXT, "__anext__")                 \
    X(AENTER, "__aenter__")               \
    X(AEXIT, "__aexit__")                 \
    X(INSTANCECHECK, "__instancecheck__") \
    X(SUBCLASSCHECK, "__subclasscheck__") \
    X(CLASS_GETITEM, "__class_getitem__") X(PREPARE, "__prepare__") X(FSPATH, "__fspath__")

enum {
#define SPECIAL_ENUM(id, name) SP_##id,
    SPECIAL_METHODS(SPECIAL_ENUM)
#undef SPECIAL_ENUM
        SP_COUNT
};

/* Native functions. self: the receiver, the class (class methods), the module (functions of a module). args: borrowed,
 * nargs positional values, then (only where the signature has **) one value per name of the tuple kw. Returns an owned
 * Value, or ABSENT with an exception. Where keywords can bind by name the binder has laid all parameters out flat in
 * signature order with ABSENT for those not given, so a native reads parameter i as arg_at(args, nargs, i). */
typedef Value (*NativeFn)(Value self, Value *args, intptr_t nargs, Value kw);
static ALWAYS_INLINE Value arg_at(const Value *args, intptr_t nargs, intptr_t i) {
    return i < nargs ? args[i] : ABSENT;
}

/* sig is the text signature, and what binds the arguments: "($self, iterable=(), /, *, key=None)". `$self`, `$module`,
 * `$type` is the receiver and not counted. `*args` passes everything positional as is; `**kw` passes keywords as kw. A
 * sig of NULL means "(*args, **kwargs)". Default values in sig are only text: the native sees ABSENT. */
typedef struct NativeDef {
    const char *name;
    NativeFn fn;
    const char *sig;
    uint32_t flags; /* NF_* */
    const char *doc;
} NativeDef;
/* NF_CLEAN: it collects, or marks what lives: called on a stretch of C stack without stale words (clean_stack). */
enum { NF_STATIC = 1, NF_CLASS = 2, NF_COEXIST = 4, NF_CLEAN = 8 };

typedef struct GetSetDef {
    const char *name;
    Value (*get)(Value self);
    int (*set)(Value self, Value v); /* v ABSENT: delete; NULL: read-only */
    const char *doc;
} GetSetDef;

/* A field exposed as attribute. */
typedef struct MemberDef {
    const char *name;
    uint32_t kind; /* MK_* */
    uint32_t offset;
    const char *doc;
} MemberDef;
enum {
    MK_REF = 1 /* Ref, AttributeError when ABSENT */,
    MK_REF_NONE = 2 /* ABSENT reads as None */,
    MK_INT32 = 3,
    MK_INT64 = 4,
    MK_BOOL = 5,
    MK_READONLY = 256
};

typedef struct TypeSpec {
    const char *name; /* "list", or "module.name" */
    const char *doc;
    Type *base;               /* NULL: object */
    uint32_t basic_size;      /* bytes of the C struct, header included */
    uint32_t flags;           /* TF_* */
    const TypeOps *ops;       /* NULL: inherits */
    const NativeDef *methods; /* terminated by a NULL name; special methods are ordinary entries ("__len__") */
    const GetSetDef *getsets;
    const MemberDef *members;
} TypeSpec;

enum {
    TF_BASETYPE = 1,  /* may be subclassed */
    TF_HAS_DICT = 2,  /* instances have attributes (attrs word) */
    TF_HEAP = 4,      /* made by Python code */
    TF_IMMUTABLE = 8, /* attributes of the type cannot be set */
    TF_NO_NEW = 16,   /* cannot be instantiated from Python: "cannot create 'X' instances" */
    TF_INT = 32,
    TF_STR = 64,
    TF_BYTES = 128,
    TF_LIST = 256,
    TF_TUPLE = 512,
    TF_DICT = 1024,
    TF_TYPE = 2048,
    TF_EXC = 4096,
    TF_SET = 1 << 13,
    TF_FLOAT = 1 << 14,
    TF_FROZENSET = 1 << 15,    /* it or a subclass of it: inherited */
    TF_WEAKREF = 1 << 16,      /* instances can be weakly referenced */
    TF_METHOD_DESCR = 1 << 17, /* instances behave like functions in attribute lookup (unbound call with self) */
    TF_SEQUENCE = 1 << 18,
    TF_MAPPING = 1 << 19, /* pattern matching */
    TF_ABSTRACT = 1 << 20,
    TF_UNTRACKED = 1 << 21,       /* instances hold no references: the cycle collector ignores them */
    TF_FINALIZER = 1 << 22,       /* instances have __del__ */
    TF_GENERIC_GETATTR = 1 << 23, /* __getattribute__ is object's: inline caches apply */
    TF_GENERIC_SETATTR = 1 << 24,
    TF_GENERIC_NEW = 1 << 25, /* __new__ is object's */
    TF_DICT_MODE =
        1 << 26, /* instances keep their attributes in a dict from birth (modules; instances of variable size) */
    TF_TAIL_ATTRS =
        1 << 27, /* subclass of a type of variable size: the attrs word is the last word of the cell (object/shape.h) */
    TF_SUBCLASS_OF_STATIC = 1 << 28,
    TF_SWEEP_STOPPED =
        1 << 29, /* ops->fini does more than free blocks: only while the world is stopped (set by shape.c) */
};

struct Type {
    Object hdr;
    uint32_t flags;
    _Atomic(uint32_t)
        version; /* tag for caches, globally unique, changed whenever a lookup on the type may give another answer */
    Shape *root; /* of instances */
    const TypeOps *ops;
    const char *c_name;  /* last part of a static type's name; NULL for heap types */
    uint32_t basic_size; /* C struct, __slots__ members included */
    uint16_t inline_slots;
    uint16_t self_slots;   /* attributes that methods of it and of its bases assign to self, as far as is known */
    uint16_t slots_offset; /* = basic_size when TF_HAS_DICT, else 0 */
    Type *base;            /* best base; owned for heap types */
    Ref name, qualname, bases, mro, dict; /* dict: a dict object */
    _Atomic(Shape *) dict_shape;          /* of instances in dict mode, made on demand */
    void *subclasses;                     /* object/type.c: weak list */
    const MemberDef *slot_members;        /* of __slots__, owned; NULL-terminated */
    const TypeSpec *spec;
    _Atomic(Value) special[SP_COUNT];
};

/* Built-in types with constant shape indices, in this order, from index 4 (index 0 marks a free cell): X(c_name,
 * CONSTANT). The variable is `Type c_name_type`, the index IDX_CONSTANT. */
#define BUILTIN_TYPES(X)                    \
    X(object, OBJECT)                       \
    X(type, TYPE)                           \
    X(int, INT)                             \
    X(bool, BOOL)                           \
    X(float, FLOAT)                         \
    X(complex, COMPLEX)                     \
    X(none, NONE)                           \
    X(ellipsis, ELLIPSIS)                   \
    X(notimpl, NOTIMPL)                     \
    X(str, STR)                             \
    X(bytes, BYTES)                         \
    X(bytearray, BYTEARRAY)                 \
    X(memoryview, MEMORYVIEW)               \
    X(list, LIST)                           \
    X(tuple, TUPLE)                         \
    X(dict, DICT)                           \
    X(set, SET)                             \
    X(frozenset, FROZENSET)                 \
    X(range, RANGE)                         \
    X(slice, SLICE)                         \
    X(function, FUNCTION)                   \
    X(code, CODE)                           \
    X(cell, CELL)                           \
    X(method, METHOD)                       \
    X(native, NATIVE)                       \
    X(method_descr, METHOD_DESCR)           \
    X(classmethod_descr, CLASSMETHOD_DESCR) \
    X(getset, GETSET)                       \
    X(member, MEMBER)                       \
    X(property, PROPERTY)                   \
    X(classmethod, CLASSMETHOD)             \
    X(staticmethod, STATICMETHOD)           \
    X(super, SUPER)                         \
    X(module, MODULE)                       \
    X(frame, FRAME)                         \
    X(traceback, TRACEBACK)                 \
    X(generator, GENERATOR)                 \
    X(coroutine, COROUTINE)                 \
    X(async_generator, ASYNC_GENERATOR)     \
    X(list_iter, LIST_ITER)                 \
    X(list_reviter, LIST_REVITER)           \
    X(tuple_iter, TUPLE_ITER)               \
    X(range_iter, RANGE_ITER)               \
    X(str_iter, STR_ITER)                   \
    X(bytes_iter, BYTES_ITER)               \
    X(bytearray_iter, BYTEARRAY_ITER)       \
    X(dict_keyiter, DICT_KEYITER)           \
    X(dict_valueiter, DICT_VALUEITER)       \
    X(dict_itemiter, DICT_ITEMITER)         \
    X(dict_keys, DICT_KEYS)                 \
    X(dict_values, DICT_VALUES)             \
    X(dict_items, DICT_ITEMS)               \
    X(set_iter, SET_ITER)                   \
    X(enumerate, ENUMERATE)                 \
    X(zip, ZIP)                             \
    X(map, MAP)                             \
    X(filter, FILTER)                       \
    X(reversed, REVERSED)                   \
    X(call_iter, CALL_ITER)                 \
    X(seq_iter, SEQ_ITER)                   \
    X(weakref, WEAKREF)                     \
    X(mappingproxy, MAPPINGPROXY)           \
    X(generic_alias, GENERIC_ALIAS) X(union, UNION) X(namespace, NAMESPACE) X(capsule, CAPSULE)

enum {
    IDX_FREE = 0,
#define IDX_ENUM(c, k) IDX_##k##_ORD,
    BUILTIN_TYPES(IDX_ENUM)
#undef IDX_ENUM
        IDX_ORD_END,
#define IDX_ENUM(c, k) IDX_##k = IDX_##k##_ORD * (int)(sizeof(Shape) / 16),
    BUILTIN_TYPES(IDX_ENUM)
#undef IDX_ENUM
};

#define DECLARE_TYPE(c, k) extern Type c##_type;
BUILTIN_TYPES(DECLARE_TYPE)
#undef DECLARE_TYPE

/* The class of an immediate: object/object.c fills it, indexed by the low 6 bits of the word. */
extern Type *immediate_type[64];

/* Objects only. acquire: pairs with the release where an object gets another shape, which may be new. */
static ALWAYS_INLINE Shape *v_shape(Value v) {
    return shape_at(LOAD_ACQUIRE(&v_obj(v)->index));
}
/* Class of any value but ABSENT. */
static ALWAYS_INLINE Type *type_of(Value v) {
    return v_is_obj_nz(v) ? v_shape(v)->type : immediate_type[v & 63];
}
static ALWAYS_INLINE bool v_is_exact(Value v, uint32_t idx) {
    return v_is_obj(v) && obj_index(v) == idx;
}
static ALWAYS_INLINE bool v_has_flag(Value v, uint32_t tf) {
    return v != ABSENT && (type_of(v)->flags & tf) != 0;
}
static ALWAYS_INLINE bool v_is_str(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_STR);
}
static ALWAYS_INLINE bool v_is_type(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_TYPE);
}
static ALWAYS_INLINE bool v_is_tuple(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_TUPLE);
}
static ALWAYS_INLINE bool v_is_list(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_LIST);
}
static ALWAYS_INLINE bool v_is_dict(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_DICT);
}
static ALWAYS_INLINE bool v_is_bytes(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_BYTES);
}
static ALWAYS_INLINE bool v_is_exc(Value v) {
    return v_is_obj(v) && (v_shape(v)->type->flags & TF_EXC);
}
/* Any int, bool included. */
static ALWAYS_INLINE bool v_is_integer(Value v) {
    return v_is_int(v) || v_has_flag(v, TF_INT);
}
static ALWAYS_INLINE bool v_is_floating(Value v) {
    return v_is_flo(v) || v_has_flag(v, TF_FLOAT);
}

/* Fills a static Type from spec and gives it its root shape; called once per type at start-up, bases first. Aborts on
 * failure. */
void type_init_static(Type *t, uint32_t index, const TypeSpec *spec);
/* The same for a type of a module (no constant index). */
void type_init_module_type(Type *t, const TypeSpec *spec);

/* An uninitialised instance of t: header set, everything else zero (attrs word and slots included). Owned; ABSENT with
 * MemoryError. Not tracked yet: call trace_track when traverse may see it (obj_new_tracked does). */
Value obj_new(Type *t);
Value obj_new_sized(Type *t,
                    size_t extra); /* with `extra` bytes after basic_size; only for types without TF_HAS_DICT */

/* Attribute of the class along its MRO, no descriptors run: owned, or ABSENT without exception. Interned name. */
Value type_lookup(Type *t, Value name);
bool type_is_subtype(Type *a, Type *b); /* along the MRO */
static ALWAYS_INLINE Value type_special(Type *t, int sp) {
    return LOAD_ACQUIRE(&t->special[sp]);
} /* borrowed */
/* type(name, bases, dict). kw: class keywords (tuple of names, values behind), or ABSENT. */
Value type_new(Type *meta, Value name, Value bases, Value dict, Value *kwvalues, Value kwnames);
/* A str without surrogates and NUL; false with exception. */
bool type_name_valid(Value name);
/* The caches of t and of its subclasses are void. */
void type_modified(Type *t);
/* Attribute name of t was set or deleted: special[], flags and versions of t and its subclasses follow. */
void type_attr_changed(Type *t, Value name);
/* type(*args): what calling a class does when its metaclass has no __call__ of its own. */
Value type_call(Type *t, Value *args, intptr_t nargs, Value kwnames);
Value type_getattr(Type *t, Value name, bool quiet); /* quiet: ABSENT without exception when there is none */
int type_setattr(Type *t, Value name, Value v);      /* v ABSENT: delete */
Value special_name(int sp);                          /* interned, borrowed */
int special_index(Value interned_name);              /* SP_x or -1 */
static ALWAYS_INLINE Value type_dict(Type *t) {
    return ref_peek(&t->dict);
} /* borrowed: never replaced */
static ALWAYS_INLINE Value type_mro(Type *t) {
    return ref_peek(&t->mro);
} /* borrowed tuple: replaced in a stopped world only, then kept */
static ALWAYS_INLINE Value type_bases(Type *t) {
    return ref_peek(&t->bases);
}
Value type_name(Type *t); /* owned str */
Value type_qualname(Type *t);
Value type_module(Type *t);     /* owned: __module__, or ABSENT and nothing pending */
Value type_subclasses(Type *t); /* new list */
/* Set before calling type_new: how many inline slots the class body's code hints at; 0 none. Consumed by the next class
 * made. */
extern _Thread_local uint32_t type_slots_hint;
/* Objects found through classes are shared by all callers: functions, descriptors, classes become uncounted. */
void type_share_value(Value v);
/* Second half of start-up: dicts, MROs and special[] of the types initialised so far; later ones are finished at once.
 */
void types_finish(void);
/* A static type with two bases (after types_finish). */
void type_set_two_bases(Type *t, Type *a, Type *b);
/* For the collectors: the references of all static types; drops subclasses that are dead (stopped world); empties the
 * method cache. */
void types_visit_roots(VisitFn visit, void *arg);
void types_prune(bool (*is_dead)(Object *));
void type_cache_clear(void);
const char *type_cname(const Type *t); /* for messages; valid while t lives */
/* The most derived metaclass of bases, or NULL with TypeError. Borrowed. */
Type *type_calculate_meta(Type *meta, Value bases);

#endif
