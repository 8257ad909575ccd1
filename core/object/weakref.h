/* Weak reference objects: weakref.ref, weakref.proxy. The table behind them is gc/weak.h. */
#ifndef POLYGIL_WEAKREF_H
#define POLYGIL_WEAKREF_H

#include "object/object.h"

extern Type weakproxy_type, callable_proxy_type;

/* A reference of class t (weakref_type or a subclass); callback ABSENT or V_NONE: none. The shared one is returned
 * again where there is one. TypeError when target cannot be weakly referenced. */
Value weakref_new(Type *t, Value target, Value callback);
Value weakproxy_new(Value target, Value callback);
/* Owned, or V_NONE. */
Value weakref_get(Value ref);
/* What obj.__weakref__ gives: owned, or V_NONE. */
Value weakref_first(Value target);
void weakref_init(void);

#endif
