/* The compile-time proof of the contract: every slot function with its type. A missing one, or one with another
 * signature, does not compile. */
#include "backend/ref.h"

#include "heap.h"

#define PROVE(name, result, ...) static result (*const prove_##name)(__VA_ARGS__) UNUSED = name

PROVE(excl_attach, void, Thread *);
PROVE(excl_detach, void, Thread *);
PROVE(excl_poll, int, void);
PROVE(excl_cs_begin, void, ExclCs *, Value);
PROVE(excl_cs_begin2, void, ExclCs *, Value, Value);
PROVE(excl_cs_end, void, ExclCs *);
PROVE(excl_leaf_lock, void, Value);
PROVE(excl_object_dead, void, Object *);
PROVE(excl_retains, bool, Value);
PROVE(excl_retains_quick, bool, const Thread *, Value);
PROVE(excl_let_go, void, Thread *);
PROVE(excl_stores_due, bool, Thread *, Value);
PROVE(excl_stores_turn, void, Thread *, Value);
PROVE(excl_leaf_unlock, void, Value);
PROVE(excl_read_begin, void, ExclCs *, Value);
PROVE(excl_read_end, void, ExclCs *);
PROVE(excl_alone, bool, Value);
PROVE(excl_in_section, bool, const Thread *);
PROVE(excl_stop_world, void, void);
PROVE(excl_start_world, void, void);
PROVE(excl_world_stopped, bool, void);
PROVE(excl_claim, bool, Thread *);
PROVE(excl_unclaim, void, Thread *);
PROVE(excl_thread_init, void, Thread *);
PROVE(excl_thread_fini, void, Thread *);
PROVE(excl_after_fork_child, void, Thread *);

PROVE(count_init, void, Object *);
PROVE(count_retain, void, Object *);
PROVE(count_drop, bool, Object *);
PROVE(count_release, void, Object *);
PROVE(count_try_retain, bool, Object *);
PROVE(count_is_unique, bool, Object *);
PROVE(count_is_uncounted, bool, Object *);
PROVE(count_get, intptr_t, Object *);
PROVE(count_set_uncounted, void, Object *);
PROVE(count_revive, void, Object *);
PROVE(count_share, void, Object *);
PROVE(count_load_slow_or_retain, Value, Value, _Atomic(Value) *, Value);
PROVE(count_load_quick, bool, _Atomic(Value) *, Object *);
PROVE(count_merge, bool, Thread *);
PROVE(count_merge_all, void, void);
PROVE(count_settle, void, Object *);
PROVE(count_thread_init, int, Thread *);
PROVE(count_thread_fini, void, Thread *);
PROVE(count_after_fork_child, void, void);

PROVE(retire_mem, void, void *);
PROVE(retire_object, void, Object *);
PROVE(retire_freeing, void, Thread *, int);
PROVE(retire_quiescent, void, Thread *);
PROVE(retire_attach, void, Thread *);
PROVE(retire_detach, void, Thread *);
PROVE(retire_stamp, uint64_t, void);
PROVE(retire_passed, bool, uint64_t);
PROVE(retire_flush_stopped, void, void);
PROVE(retire_thread_init, int, Thread *);
PROVE(retire_thread_fini, void, Thread *);
PROVE(retire_after_fork_child, void, void);

PROVE(trace_track, void, Object *);
PROVE(trace_write, void, Value, Value, Value);
PROVE(trace_collect, intptr_t, int);

/* Constants are integers, so that plain `if` tests them and every arm compiles everywhere. */
_Static_assert(EXCL_PARALLEL == 0 || EXCL_PARALLEL == 1, "EXCL_PARALLEL");
_Static_assert(EXCL_HAS_OBJECT_LOCK == 0 || EXCL_HAS_OBJECT_LOCK == 1, "EXCL_HAS_OBJECT_LOCK");
_Static_assert(COUNT_EXACT == 0 || COUNT_EXACT == 1, "COUNT_EXACT");
_Static_assert(COUNT_PROMPT == 0 || COUNT_PROMPT == 1, "COUNT_PROMPT");
_Static_assert(COUNT_BIASED == 0 || COUNT_BIASED == 1, "COUNT_BIASED");
_Static_assert(RETIRE_DEFERS == 0 || RETIRE_DEFERS == 1, "RETIRE_DEFERS");
_Static_assert(TRACE_FREES == 0 || TRACE_FREES == 1, "TRACE_FREES");
_Static_assert(sizeof(Object) == (COUNT_LAYOUT == COUNT_LAYOUT_NONE || COUNT_LAYOUT == COUNT_LAYOUT_PACKED ? 8 : 16),
               "the header is one word, two where a count needs more than 26 bits");
