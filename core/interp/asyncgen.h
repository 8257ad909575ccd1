/* Async generators and the small awaitables around them; coroutine wrappers and origin tracking. */
#ifndef POLYGIL_ASYNCGEN_H
#define POLYGIL_ASYNCGEN_H

#include "interp/generator.h"

Value asyncgen_wrap(Value v); /* what an async generator's `yield v` hands to its driver: owned */
Value coro_await(Value self, Value *args, intptr_t nargs, Value kw);
int coro_origin_depth(void); /* sys.set_coroutine_origin_tracking_depth */
void coro_set_origin_depth(int n);
void coro_track_origin(Value coro);
int coro_warn_never_awaited(Value coro);
/* sys.set_asyncgen_hooks: of the calling thread; borrowed or ABSENT. */
Value asyncgen_hook_firstiter(void);
Value asyncgen_hook_finalizer(void);
void asyncgen_set_hooks(Value firstiter, Value finalizer); /* ABSENT: keep; V_NONE: none */
/* anext(it, default): awaitable that gives dflt at the end. */
Value asyncgen_anext_default(Value awaitable, Value dflt);
void asyncgen_init(void);

/* generator.c, for the async generator type */
void gen_traverse(Value self, VisitFn visit, void *arg);
void gen_clear_refs(Value self);
Value gen_throw_args(Value *args, intptr_t nargs);
Value gen_get_frame(Value self);
Value gen_get_running(Value self);
Value gen_get_suspended(Value self);
Value gen_get_delegate(Value self);
Value gen_get_name(Value self);
int gen_set_name(Value self, Value v);
Value gen_get_qualname(Value self);
int gen_set_qualname(Value self, Value v);

#endif
