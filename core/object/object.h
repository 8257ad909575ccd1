/* The object protocols: what any value can be asked. Arguments are borrowed, results owned, unless stated.
 * Failure: ABSENT, NULL or -1 with one pending exception. All may run Python code, so none is called inside a section.
 */
#ifndef POLYGIL_OBJECT_H
#define POLYGIL_OBJECT_H

#include "object/err.h"
#include "object/type.h"

/* attributes (object/attr.c). Names are str; interned ones are fastest. */
Value obj_getattr(Value o, Value name);
Value obj_getattr_str(Value o, const char *name);
/* 1 found (*out owned), 0 no such attribute (nothing pending), -1 error. */
int obj_lookup_attr(Value o, Value name, Value *out);
int obj_lookup_attr_str(Value o, const char *name, Value *out);
int obj_setattr(Value o, Value name, Value v); /* v ABSENT: delete */
int obj_setattr_str(Value o, const char *name, Value v);
Value obj_generic_getattr(Value o, Value name);
int obj_generic_setattr(Value o, Value name, Value v);
Value obj_get_dict(Value o); /* the instance's __dict__ (made on demand), AttributeError when it can have none */
Value obj_dir(Value o);      /* list or ABSENT with exception */
/* Special method sp of o, looked up on its class and bound: 1 and an owned callable; 0; -1. */
int obj_lookup_special(Value o, int sp, Value *out);
/* Calls special method sp of o with args. ABSENT with exc; if the class has none: V_MARK, nothing pending. */
Value obj_call_special(Value o, int sp, Value *args, intptr_t nargs);

/* calls (interp/call.c). args[0..nargs-1] positional, then one per name in the tuple kwnames (ABSENT: none). */
Value obj_call(Value f, Value *args, intptr_t nargs, Value kwnames);
Value obj_call0(Value f);
Value obj_call1(Value f, Value a);
Value obj_call2(Value f, Value a, Value b);
Value obj_call3(Value f, Value a, Value b, Value c);
Value obj_call_tuple_dict(Value f, Value args_tuple, Value kwargs_dict); /* kwargs ABSENT or a dict */
Value obj_call_method(Value o, Value name, Value *args, intptr_t nargs);
Value obj_call_method_str(Value o, const char *name, Value *args, intptr_t nargs);
bool v_is_callable(Value v);

/* Recursion of C code: C_RECURSE_BEGIN(" in comparison") { return -1; } ... C_RECURSE_END */
/* False with RecursionError; cheap: the C stack's address against its limit. */
bool recursion_exceeded(const char *where);
static ALWAYS_INLINE bool recursion_enter(const char *where) {
    return LIKELY((uintptr_t)__builtin_frame_address(0) > thread_self()->c_stack_limit) || recursion_exceeded(where);
}

/* comparison, truth, hash, text (object/object.c) */
enum { CMP_LT, CMP_LE, CMP_EQ, CMP_NE, CMP_GT, CMP_GE };
Value obj_compare(Value a, Value b, int op);
int obj_compare_bool(Value a, Value b, int op); /* identity implies equality for EQ and NE */
static inline int obj_eq(Value a, Value b) {
    return a == b ? 1 : obj_compare_bool(a, b, CMP_EQ);
}
int obj_truth_slow(Value v);
/* True or false without calling anything: 1, 0; -1 otherwise. */
static ALWAYS_INLINE int obj_truth_quick(Value v) {
    if (v == V_TRUE)
        return 1;
    if (v == V_FALSE || v == V_NONE)
        return 0;
    if (v_is_int(v))
        return v != v_from_int(0);
    return -1;
}
static ALWAYS_INLINE int obj_truth(Value v) {
    int r = obj_truth_quick(v);
    return r >= 0 ? r : obj_truth_slow(v);
}
int64_t obj_hash(Value v); /* -1: error */
Value obj_repr(Value v);   /* str */
Value obj_str(Value v);
Value obj_ascii(Value v);
Value obj_format(Value v, Value spec); /* spec str or ABSENT */
int obj_isinstance(Value v, Value cls);
int obj_issubclass(Value c, Value cls);
uint64_t obj_id(Value v);
/* Detects recursion in repr of containers: 1 already inside, 0 entered, -1 error. */
int repr_enter(Value v);
void repr_leave(Value v);

/* numbers (object/number.c). op is SP_ADD ... SP_OR, SP_POW, SP_MATMUL; messages as CPython's. */
Value num_binary(int sp, Value a, Value b);
Value num_inplace(int sp, Value a, Value b);  /* sp as for binary */
Value num_unary(int sp, Value a);             /* SP_NEG SP_POS SP_INVERT SP_ABS */
Value num_power(Value a, Value b, Value mod); /* mod ABSENT or V_NONE */
Value num_index(Value v);                     /* __index__: an int, or TypeError */
int num_as_i64(Value v, int64_t *out);        /* through __index__; OverflowError beyond */
/* Index or size argument; clips to the range instead of failing when clip. */
int num_as_index(Value v, intptr_t *out, Type *overflow_exc /* NULL: clip */);
int num_as_double(Value v, double *out); /* float, or __float__, or __index__ */
int num_as_int(Value v, int *out);
bool v_is_index(Value v);

/* containers */
Value obj_getitem(Value o, Value key);
int obj_setitem(Value o, Value key, Value v);
int obj_delitem(Value o, Value key);
intptr_t obj_len(Value o);
intptr_t obj_length_hint(Value o, intptr_t dflt);
int obj_contains(Value o, Value item);
Value obj_iter(Value o);
/* Next item, or ABSENT: with an exception pending it failed, else it is exhausted (StopIteration is swallowed). */
Value obj_next(Value it);
/* C-level iterator fast path: types register it (object/iter.h). */
Value seq_to_list(Value iterable);  /* new list */
Value seq_to_tuple(Value iterable); /* tuple; the same one, retained, for an exact tuple */

/* Buffers of bytes-like objects: pins the memory (a bytearray cannot be resized meanwhile). */
typedef struct Buffer {
    char *data;
    intptr_t len;
    Value owner; /* owned */
    intptr_t itemsize;
    const char *format;
    bool readonly;
    int ndim;
    void *internal;
} Buffer;
int buffer_get(Value v, Buffer *b, bool writable); /* TypeError: a bytes-like object is required, not 'X' */
void buffer_release(Buffer *b);
bool v_is_buffer(Value v);

/* A static interned name: ID("append"). Immortal, borrowed. */
#define ID(s)                          \
    (__extension__({                   \
        static _Atomic(Value) id_;     \
        Value v_ = LOAD_RELAXED(&id_); \
        if (UNLIKELY(v_ == ABSENT)) {  \
            v_ = str_intern_static(s); \
            STORE_RELAXED(&id_, v_);   \
        }                              \
        v_;                            \
    }))
Value str_intern_static(const char *s);

#endif
