/* The weak reference table. See weak.h. */
#include "weak.h"

#include "dead.h"
#include "mutex.h"
#include "object/list.h"
#include "object/object.h"
#include "object/tuple.h"
#include "stats.h"

typedef struct Head {
    Object *o;
    WeakRef *first;
    struct Head *next;
} Head;

typedef struct Shard {
    _Alignas(64) Mutex mutex;
    size_t n, mask;
    Head **bucket;
} Shard;

enum { SHARDS = 64 };
static Shard shards[SHARDS] = {[0 ... SHARDS - 1] = {.mutex = MUTEX_INIT(RANK_TABLE)}};

static ALWAYS_INLINE uint64_t mix(const Object *o) {
    return (uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15ull;
}
static ALWAYS_INLINE Shard *shard_of(const Object *o) {
    return &shards[mix(o) >> 58];
}

/* Under one lock nobody else runs. */
static ALWAYS_INLINE void shard_lock(Shard *s) {
    if (EXCL_PARALLEL)
        mutex_lock(&s->mutex);
}
static ALWAYS_INLINE void shard_unlock(Shard *s) {
    if (EXCL_PARALLEL)
        mutex_unlock(&s->mutex);
}

static Head **find(Shard *s, const Object *o) {
    if (!s->bucket)
        return NULL;
    Head **h = &s->bucket[mix(o) >> 20 & s->mask];
    while (*h && (*h)->o != o)
        h = &(*h)->next;
    return *h ? h : NULL;
}

static int grow(Shard *s) {
    size_t size = s->bucket ? (s->mask + 1) * 2 : 16;
    Head **b = calloc(size, sizeof *b);
    if (!b)
        return s->bucket ? 0 : -1;
    for (size_t i = 0; s->bucket && i <= s->mask; i++) {
        for (Head *h = s->bucket[i], *next; h; h = next) {
            next = h->next;
            Head **to = &b[mix(h->o) >> 20 & (size - 1)];
            h->next = *to;
            *to = h;
        }
    }
    free(s->bucket);
    s->bucket = b;
    s->mask = size - 1;
    return 0;
}

static void drop_head(Shard *s, Head **h) {
    Head *dead = *h;
    *h = dead->next;
    free(dead);
    s->n--;
}

int weak_link(WeakRef *w, Value target, bool shared, bool front) {
    Object *o = v_obj(target);
    Shard *s = shard_of(o);
    int result = -1;
    STORE_RELAXED(&w->hash, -1);
    /* Whoever has a weak reference to the object reaches it, and whoever ends it calls back. */
    publish(target);
    publish(V_OF(w));
    shard_lock(s);
    Head **at = find(s, o), *h = at ? *at : NULL;
    if (!h) {
        if ((!s->bucket || s->n > s->mask) && grow(s) < 0)
            goto out;
        if (!(h = malloc(sizeof *h)))
            goto out;
        h->o = o;
        h->first = NULL;
        Head **b = &s->bucket[mix(o) >> 20 & s->mask];
        h->next = *b;
        *b = h;
        s->n++;
        /* From here on its death is decided atomically and looks here first. */
        count_share(o);
        obj_set_flag(o, OF_WEAKREF);
    }
    /* Newest first, but behind the shared ones: the reference, then the proxy. */
    WeakRef *before = NULL;
    while (!(front && before == NULL) && (before ? before->next : h->first) &&
           (before ? before->next : h->first)->shared)
        before = before ? before->next : h->first;
    w->shared = shared;
    w->prev = before;
    w->next = before ? before->next : h->first;
    if (w->next)
        w->next->prev = w;
    if (before)
        before->next = w;
    else
        h->first = w;
    STORE_RELEASE(&w->target, target); /* pairs with the acquire in weak_get */
    result = 0;
out:
    shard_unlock(s);
    return result;
}

static void unlink_locked(Shard *s, WeakRef *w, Object *o) {
    if (w->next)
        w->next->prev = w->prev;
    if (w->prev) {
        w->prev->next = w->next;
    } else {
        Head **h = find(s, o);
        ASSERT(h && (*h)->first == w);
        (*h)->first = w->next;
        if (!w->next) {
            obj_clear_flag(o, OF_WEAKREF);
            drop_head(s, h);
        }
    }
    w->next = w->prev = NULL;
    STORE_RELAXED(&w->target, ABSENT);
}

void weak_unlink(WeakRef *w) {
    for (;;) {
        Value t = LOAD_ACQUIRE(&w->target); /* pairs with weak_link */
        if (t == ABSENT)
            return;
        Shard *s = shard_of(v_obj(t));
        shard_lock(s);
        bool same = LOAD_RELAXED(&w->target) == t;
        if (same)
            unlink_locked(s, w, v_obj(t));
        shard_unlock(s);
        if (same)
            return;
    }
}

Value weak_get(WeakRef *w) {
    Value t = LOAD_ACQUIRE(&w->target); /* pairs with weak_link */
    if (t == ABSENT || !COUNT_EXACT)
        return t; /* without counts only a stopped world empties it */
    Shard *s = shard_of(v_obj(t));
    shard_lock(s);
    bool got = LOAD_RELAXED(&w->target) == t && count_try_retain(v_obj(t));
    shard_unlock(s);
    return got ? t : ABSENT;
}

WeakRef *weak_find_plain(Value target, Type *t) {
    if (!(obj_flags(v_obj(target)) & OF_WEAKREF))
        return NULL;
    Shard *s = shard_of(v_obj(target));
    WeakRef *found = NULL;
    shard_lock(s);
    Head **h = find(s, v_obj(target));
    for (WeakRef *w = h ? (*h)->first : NULL; w; w = w->next) {
        if (w->shared && type_of(V_OF(w)) == t && count_try_retain(&w->hdr)) {
            found = w;
            break;
        }
    }
    shard_unlock(s);
    return found;
}

WeakRef *weak_first(Value target) {
    if (!v_is_obj(target) || !(obj_flags(v_obj(target)) & OF_WEAKREF))
        return NULL;
    Shard *s = shard_of(v_obj(target));
    shard_lock(s);
    Head **h = find(s, v_obj(target));
    WeakRef *w = h ? (*h)->first : NULL;
    while (w && !count_try_retain(&w->hdr))
        w = w->next;
    shard_unlock(s);
    return w;
}

intptr_t weak_count(Value target) {
    if (!v_is_obj(target) || !(obj_flags(v_obj(target)) & OF_WEAKREF))
        return 0;
    Shard *s = shard_of(v_obj(target));
    intptr_t n = 0;
    shard_lock(s);
    Head **h = find(s, v_obj(target));
    for (WeakRef *w = h ? (*h)->first : NULL; w; w = w->next)
        n++;
    shard_unlock(s);
    return n;
}

Value weak_list(Value target) {
    intptr_t n = weak_count(target), got = 0;
    /* The list's allocation may collect: without counts only what is traced keeps the references. */
    Value refs = scratch_new(n);
    if (!refs)
        return ABSENT;
    Shard *s = shard_of(v_obj(target));
    shard_lock(s);
    Head **h = find(s, v_obj(target));
    for (WeakRef *w = h ? (*h)->first : NULL; w && got < n; w = w->next)
        if (count_try_retain(&w->hdr))
            tuple_init_item(refs, got++, V_OF(w));
    shard_unlock(s);
    Value list = list_from(tuple_items(refs), got);
    release(refs);
    return list;
}

/* ---- the end of an object ---- */

/* References whose callbacks wait for a thread to call them; owned. */
static Mutex pending_mutex = MUTEX_INIT(RANK_RETIRE);
static WeakRef *pending; /* by next */
static _Atomic(bool) any_pending;

/* Takes the head out and empties its references; those to call, owned, by next in their order. */
static WeakRef *empty_head(Shard *s, Head **at, bool (*alive)(const Object *o)) {
    WeakRef *call = NULL, **tail = &call;
    for (WeakRef *w = (*at)->first, *next; w; w = next) {
        next = w->next;
        w->next = w->prev = NULL;
        STORE_RELEASE(&w->target, ABSENT);
        if (ref_peek(&w->callback) == ABSENT || (alive && !alive(&w->hdr)) || !count_try_retain(&w->hdr))
            continue;
        *tail = w;
        tail = &w->next;
    }
    obj_clear_flag((*at)->o, OF_WEAKREF);
    drop_head(s, at);
    return call;
}

static void call_one(Thread *t, WeakRef *w) {
    Value cb = ref_swap(V_OF(w), &w->callback, ABSENT);
    if (cb) {
        STAT_ADD(weak_callbacks, 1);
        uint32_t depth = dead_python_begin(t);
        Value r = obj_call1(cb, V_OF(w));
        if (!r)
            err_unraisable("Exception ignored in", cb);
        dead_python_end(t, depth);
        release(r);
        release(cb);
    }
    release(V_OF(w));
}

void weak_clear(Object *o) {
    Shard *s = shard_of(o);
    WeakRef *call = NULL;
    shard_lock(s);
    Head **h = find(s, o);
    if (h)
        call = empty_head(s, h, NULL);
    shard_unlock(s);
    if (!call)
        return;
    Thread *t = thread_self();
    Value saved = err_fetch();
    while (call) {
        WeakRef *w = call;
        call = w->next;
        w->next = NULL;
        call_one(t, w);
    }
    err_restore(saved);
}

void weak_clear_dead(bool (*alive)(const Object *o)) {
    WeakRef **tail = &pending;
    while (*tail)
        tail = &(*tail)->next;
    for (int i = 0; i < SHARDS; i++) {
        Shard *s = &shards[i];
        for (size_t b = 0; s->bucket && b <= s->mask; b++) {
            for (Head **h = &s->bucket[b]; *h;) {
                if (alive((*h)->o)) {
                    h = &(*h)->next;
                    continue;
                }
                for (*tail = empty_head(s, h, alive); *tail;)
                    tail = &(*tail)->next;
            }
        }
    }
    STORE_RELAXED(&any_pending, pending != NULL);
}

void weak_visit_pending(VisitFn visit, void *arg) {
    for (WeakRef *w = pending; w; w = w->next)
        visit(V_OF(w), arg);
}

bool weak_any_pending(void) {
    return LOAD_RELAXED(&any_pending);
}

bool weak_run_callbacks(void) {
    if (!LOAD_RELAXED(&any_pending))
        return false;
    bool any = false;
    for (;;) {
        mutex_lock(&pending_mutex);
        WeakRef *w = pending;
        if (w) {
            pending = w->next;
            w->next = NULL;
        }
        STORE_RELAXED(&any_pending, pending != NULL);
        mutex_unlock(&pending_mutex);
        if (!w)
            return any;
        any = true;
        call_one(thread_self(), w);
    }
}
