#include "object/list.h"

#include "object/dict_impl.h"
#include "object/iter.h"
#include "object/list_impl.h"
#include "object/refs.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

static List *L(Value v) {
    return (List *)v;
}
static ListBlock *block_of(Value l) {
    return LOAD_RELAXED(&L(l)->block);
}
static size_t len_of(Value l) {
    return LOAD_RELAXED(&L(l)->len);
}
static Ref *items_of(Value l) {
    ListBlock *b = block_of(l);
    return b ? b->items : NULL;
}

#define MAX_ITEMS ((SIZE_MAX / 2 - sizeof(ListBlock)) / sizeof(Ref))

/* ---- blocks ---- */

/* The slots from `used` on hold ABSENT. */
static ListBlock *block_new(size_t cap, size_t used) {
    if (UNLIKELY(cap > MAX_ITEMS)) {
        err_no_memory();
        return NULL;
    }
    ListBlock *b = block_alloc_zeroed(sizeof(ListBlock) + cap * sizeof(Ref), sizeof(ListBlock) + used * sizeof(Ref));
    if (LIKELY(b != NULL))
        b->capacity = cap;
    return b;
}

/* In the section: makes nb, which already owns the items, the list's block. Pairs with the acquire loads of readers.
 * objects: whether there may be some among the items of the old one. */
static void install_moved(Value l, ListBlock *nb, size_t n, bool objects) {
    List *o = L(l);
    ListBlock *old = block_of(l);
    size_t old_n = len_of(l);
    if (n < old_n)
        STORE_RELEASE(&o->len, n); /* a reader never sees a length beyond its block */
    STORE_RELEASE(&o->block, nb);
    STORE_RELEASE(&o->len, n);
    if (old) {
        if (objects)
            refs_forget(l, old->items, old_n);
        block_retire(l, old);
    }
}
static void install(Value l, ListBlock *nb, size_t n) {
    install_moved(l, nb, n, true);
}
/* True when there is an object among them, which readers must not find in the old place any more. */
static bool copy_items(Ref *to, Ref *from, size_t n) {
    Value *dst = (Value *)to, *src = (Value *)from, none = 1;
    for (size_t i = 0; i < n; i++) {
        Value v = src[i];
        dst[i] = v;
        none &= v | v >> 1 | v >> 2;
    }
    return none == 0;
}

/* From LARGE on a block is copied into one of twice the size, or below QUADRUPLE four times where all other threads
 * wait meanwhile: what is not used of that one is no memory yet, and each new block costs a page fault for every page
 * that is copied. */
enum { LARGE = HEAP_OVERSIZE / sizeof(Ref), QUADRUPLE = 8 * LARGE };

static size_t with_room(size_t n, size_t room) {
    return (n + room + 6) & ~(size_t)3;
}
/* A list grows by an eighth and a little, as CPython's does; by a half where readers may look into the block, which
 * then cannot be resized where it is: its items are copied, and the old block's slots emptied. A large one has a power
 * of two of bytes. */
static size_t grown(Value l, size_t need) {
    if (need < LARGE)
        return with_room(need, need >> (readers_unlocked(l) ? 1 : 3));
    if (need > MAX_ITEMS / 4)
        return need;
    size_t bytes = sizeof(ListBlock) + (need << (need < QUADRUPLE && readers_unlocked(l))) * sizeof(Ref);
    return ((SIZE_MAX >> __builtin_clzl(bytes)) + 1 - sizeof(ListBlock)) / sizeof(Ref);
}

/* In the section: a block of cap slots with the present items. */
static int reallocate(Value l, size_t cap) {
    size_t n = len_of(l);
    heap_note_oversize(v_obj(l), cap * sizeof(Ref));
    if (!readers_unlocked(l) && block_of(l) && (cap < LARGE || cap / 3 < block_of(l)->capacity / 2)) {
        ListBlock *b = heap_block_resize(block_of(l), sizeof(ListBlock) + cap * sizeof(Ref));
        if (!b)
            return err_no_memory(), -1;
        b->capacity = cap;
        if (cap > n)
            memset((void *)(b->items + n), 0, (cap - n) * sizeof(Ref));
        STORE_RELEASE(&L(l)->block, b);
        return 0;
    }
    ListBlock *nb = block_new(cap, MIN(n, cap)), *old = block_of(l);
    if (!nb)
        return -1;
    bool objects = n != 0 && copy_items(nb->items, old->items, n);
    install_moved(l, nb, n, objects);
    return 0;
}
static int reserve(Value l, size_t need) {
    ListBlock *b = block_of(l);
    if (LIKELY(b && need <= b->capacity))
        return 0;
    if (reallocate(l, grown(l, need)) == 0)
        return 0;
    if (need < LARGE)
        return -1;
    err_clear(); /* near the heap's limit: it may have room for less */
    return reallocate(l, with_room(need, need >> 3));
}
/* In the section, after removals: gives memory back when less than half is used. Failing to is no error. */
static void trim(Value l) {
    ListBlock *b = block_of(l);
    size_t n = len_of(l);
    if (!b || n >= b->capacity >> 1 || b->capacity <= 8)
        return;
    if (n == 0) {
        install(l, NULL, 0);
        return;
    }
    if (reallocate(l, with_room(n, n / 4)) < 0)
        err_clear();
}

/* In the section: room for n more items at index at; slots [at, at + n) keep stale words that the caller overwrites at
 * once. The length is raised after that, by the caller. */
static int open_gap(Value l, size_t at, size_t n) {
    size_t len = len_of(l);
    if (UNLIKELY(n > MAX_ITEMS - len)) {
        err_no_memory();
        return -1;
    }
    if (reserve(l, len + n) < 0)
        return -1;
    Ref *items = items_of(l);
    refs_move(l, items + at + n, items + at, len - at);
    return 0;
}
/* In the section: closes the gap [at, at + n), whose references the caller has taken over. */
static void close_gap(Value l, size_t at, size_t n) {
    size_t len = len_of(l);
    Ref *items = items_of(l);
    refs_move(l, items + at, items + at + n, len - at - n);
    STORE_RELEASE(&L(l)->len, len - n);
    refs_zero(items + len - n, n);
    trim(l);
}
/* In the section: item i leaves the list; owned. */
static Value take_at(Value l, size_t i) {
    Ref *items = items_of(l);
    Value v = ref_peek(&items[i]);
    ref_written(l, v, ABSENT);
    close_gap(l, i, 1);
    return v;
}

/* ---- making ---- */

Value list_new(intptr_t cap) {
    Value l = obj_new(&list_type);
    if (UNLIKELY(l == ABSENT))
        return ABSENT;
    if (cap > 0) {
        ListBlock *b = block_new((size_t)cap, 0);
        if (!b) {
            release(l);
            return ABSENT;
        }
        STORE_RELAXED(&L(l)->block, b);
    }
    trace_track(v_obj(l));
    return l;
}

/* A list with an exact block of n slots for the caller to fill before anything else happens. Not tracked. */
static Value make_unfilled(size_t n, Ref **items) {
    *items = NULL;
    if (n == 0)
        return obj_new(&list_type);
    ListBlock *b = block_new(n, n);
    if (!b)
        return ABSENT;
    Value l = obj_new(&list_type);
    if (l == ABSENT) {
        block_free(b);
        return ABSENT;
    }
    *items = b->items;
    STORE_RELAXED(&L(l)->block, b);
    STORE_RELAXED(&L(l)->len, n);
    return l;
}

Value list_from(const Value *items, intptr_t n) {
    Ref *dst;
    Value l = make_unfilled((size_t)n, &dst);
    if (LIKELY(l != ABSENT)) {
        refs_copy(dst, (const Ref *)items, (size_t)n);
        trace_track(v_obj(l));
    }
    return l;
}

Value list_from_steal(Value *items, intptr_t n) {
    Ref *dst;
    Value l = make_unfilled((size_t)n, &dst);
    if (UNLIKELY(l == ABSENT)) {
        refs_release((Ref *)items, (size_t)n);
        return ABSENT;
    }
    if (n)
        memcpy((void *)dst, items, (size_t)n * sizeof(Ref));
    trace_track(v_obj(l));
    return l;
}

Value list_slice(Value l, intptr_t lo, intptr_t hi) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    intptr_t n = list_len(l);
    lo = lo < 0 ? 0 : lo;
    hi = hi > n ? n : hi;
    Value r = hi > lo ? list_from((Value *)items_of(l) + lo, hi - lo) : list_new(0);
    excl_cs_end(&cs);
    return r;
}

Value list_to_tuple(Value l) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    Value t = tuple_from((Value *)items_of(l), list_len(l));
    excl_cs_end(&cs);
    return t;
}

Value list_concat(Value a, Value b) {
    ExclCs cs;
    excl_cs_begin2(&cs, a, b);
    size_t n = len_of(a), m = len_of(b);
    Ref *dst;
    Value r = make_unfilled(n + m, &dst);
    if (r != ABSENT) {
        refs_copy(dst, items_of(a), n);
        if (m != 0)
            refs_copy(dst + n, items_of(b), m);
        trace_track(v_obj(r));
    }
    excl_cs_end(&cs);
    return r;
}

/* Words 0 .. n-1 repeated until total words are full. */
static void fill_repeat(Ref *dst, size_t n, size_t total) {
    if (n == 1) {
        Value v = ref_peek(&dst[0]);
        for (size_t i = 1; i < total; i++)
            ref_init(&dst[i], v);
        return;
    }
    for (size_t done = n; done < total;) {
        size_t m = MIN(done, total - done);
        memcpy((void *)(dst + done), (void *)dst, m * sizeof(Ref));
        done += m;
    }
}

Value list_repeat(Value l, intptr_t times) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    size_t n = len_of(l), total;
    Value r;
    Ref *dst;
    if (times <= 0 || n == 0)
        r = list_new(0);
    else if (__builtin_mul_overflow(n, (size_t)times, &total) || total > MAX_ITEMS)
        r = err_no_memory();
    else if ((r = make_unfilled(total, &dst)) != ABSENT && LIKELY(dst != NULL)) {
        memcpy((void *)dst, (void *)items_of(l), n * sizeof(Ref));
        fill_repeat(dst, n, total);
        refs_retain_times(dst, n, (size_t)times);
        trace_track(v_obj(r));
    }
    excl_cs_end(&cs);
    return r;
}

enum { LATIN1_MAX = 10000 }; /* items made without a safepoint */
static Value list_of_latin1(Value s) {
    intptr_t n = str_len(s);
    const uint8_t *chars = (const uint8_t *)str_data(s);
    Value l = list_new(n);
    if (l == ABSENT)
        return ABSENT;
    for (intptr_t i = 0; i < n; i++)
        ref_init(&items_of(l)[i], str_latin1_chars[chars[i]]); /* uncounted */
    STORE_RELEASE(&L(l)->len, (size_t)n);
    return l;
}

/* The items of a built-in container at one moment, as a list; V_MARK for anything else. list(d) is as atomic as it is
 * under one lock. */
static Value snapshot(Value v) {
    if (!v_is_obj(v))
        return V_MARK;
    switch (obj_index(v)) {
    case IDX_DICT:
        return dict_keys_list(v);
    case IDX_DICT_KEYS:
        return dict_keys_list(dict_view_dict(v));
    case IDX_DICT_VALUES:
        return dict_values_list(dict_view_dict(v));
    case IDX_DICT_ITEMS:
        return dict_items_list(dict_view_dict(v));
    case IDX_SET:
    case IDX_FROZENSET:
        return set_to_list(v);
    case IDX_STR:
        return str_kind(v) == 1 && str_len(v) <= LATIN1_MAX ? list_of_latin1(v) : V_MARK;
    default:
        return V_MARK;
    }
}

Value seq_to_list(Value iterable) {
    if (v_is_list_exact(iterable))
        return list_slice(iterable, 0, INTPTR_MAX);
    if (v_is_tuple_exact(iterable))
        return list_from(tuple_items(iterable), tuple_len(iterable));
    Value l = snapshot(iterable);
    if (l != V_MARK)
        return l;
    l = list_new(0);
    if (l != ABSENT && list_extend(l, iterable) < 0) {
        release(l);
        return ABSENT;
    }
    return l;
}

/* ---- one item ---- */

Value list_get(Value l, intptr_t i) {
    List *o = L(l);
    if (i < 0)
        return ABSENT;
    if (!READS_LOCK_FREE) {
        ExclCs cs;
        excl_read_begin(&cs, l);
        Value v = (size_t)i < len_of(l) ? ref_load(l, &block_of(l)->items[i]) : ABSENT;
        excl_read_end(&cs);
        return v;
    }
    for (;;) {
        ListBlock *b = LOAD_ACQUIRE(&o->block); /* pairs with install() */
        if ((size_t)i >= LOAD_ACQUIRE(&o->len))
            return ABSENT;
        if (!b || (size_t)i >= b->capacity)
            continue; /* grew in between: the new block was published before the length */
        Value v = ref_load(l, &b->items[i]);
        if (LIKELY(v != ABSENT))
            return v;
        /* Removed, or the block was replaced and emptied: look again. */
    }
}

Value list_get_back(Value l, intptr_t i) {
    excl_leaf_lock(l);
    size_t at = (size_t)i + len_of(l);
    Value v = at < len_of(l) ? retained(ref_peek(&items_of(l)[at])) : ABSENT;
    excl_leaf_unlock(l);
    return v;
}

/* Nobody else writes l. */
static ALWAYS_INLINE bool append_where_room(Value l, Value v) {
    size_t n = len_of(l);
    ListBlock *b = block_of(l);
    if (UNLIKELY(!b || n >= b->capacity))
        return false;
    ref_written(l, ABSENT, v);
    STORE_RELEASE(&b->items[n], v); /* as in list_append_fast */
    STORE_RELEASE(&L(l)->len, n + 1);
    return true;
}
static NOINLINE bool append_locked(Value l, Value v) {
    excl_leaf_lock(l);
    bool room = append_where_room(l, v);
    excl_leaf_unlock(l);
    return room;
}
NOINLINE bool list_append_shared(Value l, Value v) {
    return excl_retains(l) ? append_where_room(l, v) : append_locked(l, v);
}
/* Nobody else writes l. False: out of range. */
static ALWAYS_INLINE bool set_in_range(Value l, intptr_t i, Value v, Value *old) {
    if (i < 0)
        i += list_len(l);
    if (UNLIKELY((size_t)i >= len_of(l)))
        return false;
    *old = ref_swap(l, &items_of(l)[i], retained(v));
    return true;
}
static NOINLINE bool set_locked(Value l, intptr_t i, Value v) {
    Value old = ABSENT;
    excl_leaf_lock(l);
    bool ok = set_in_range(l, i, v, &old);
    excl_leaf_unlock(l);
    release(old);
    return ok;
}
NOINLINE bool list_set_shared(Value l, intptr_t i, Value v) {
    if (!excl_retains(l))
        return set_locked(l, i, v);
    Value old = ABSENT;
    bool ok = set_in_range(l, i, v, &old);
    release(old);
    return ok;
}

/* Steals v if it succeeds. */
static ALWAYS_INLINE int append_within(Value l, Value v) {
    size_t n = len_of(l);
    if (reserve(l, n + 1) < 0)
        return -1;
    ref_written(l, ABSENT, v);
    STORE_RELEASE(&block_of(l)->items[n], v);
    STORE_RELEASE(&L(l)->len, n + 1);
    return 0;
}
int list_append_within(Value l, Value v) {
    if (append_within(l, v) < 0)
        return -1;
    retain(v);
    return 0;
}
/* Apart, so that the usual case saves no registers. */
static NOINLINE int append_grow(Value l, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    int r = append_within(l, v);
    excl_cs_end(&cs);
    if (r < 0)
        release(v);
    return r;
}
static NOINLINE int append_shared(Value l, Value v) {
    return LIKELY(list_append_shared(l, v)) ? 0 : append_grow(l, v);
}
int list_append_steal(Value l, Value v) {
    if (UNLIKELY(!obj_is_private(l)))
        return append_shared(l, v);
    return LIKELY(list_append_fast(l, v)) ? 0 : append_grow(l, v);
}
int list_append(Value l, Value v) {
    return list_append_steal(l, retained(v));
}

int list_insert(Value l, intptr_t i, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    intptr_t n = list_len(l);
    if (i < 0 && (i += n) < 0)
        i = 0;
    i = MIN(i, n);
    int r = open_gap(l, (size_t)i, 1);
    if (r == 0) {
        ref_written(l, ABSENT, v);
        STORE_RELEASE(&items_of(l)[i], retained(v));
        STORE_RELEASE(&L(l)->len, (size_t)n + 1);
    }
    excl_cs_end(&cs);
    return r;
}

int list_set(Value l, intptr_t i, Value v) {
    if (list_set_fast(l, i, v))
        return 0;
    err_set(&exc_IndexError, "list assignment index out of range");
    return -1;
}

/* The last item of a list that nobody else can reach, where no memory is to be given back; else ABSENT. */
static ALWAYS_INLINE Value take_last_private(Value l) {
    ListBlock *b = block_of(l);
    size_t n = len_of(l);
    if (!obj_is_private(l) || UNLIKELY(n == 0 || (n - 1 < b->capacity >> 1 && b->capacity > 8)))
        return ABSENT;
    STORE_RELEASE(&L(l)->len, n - 1);
    return ref_swap_private(l, &b->items[n - 1], ABSENT);
}

Value list_take(Value l, intptr_t i) {
    ExclCs cs;
    Value v = i == -1 ? take_last_private(l) : ABSENT;
    if (LIKELY(v != ABSENT))
        return v;
    excl_cs_begin(&cs, l);
    intptr_t n = list_len(l);
    i = i < 0 ? i + n : i;
    if (i >= 0 && i < n)
        v = take_at(l, (size_t)i);
    excl_cs_end(&cs);
    return v;
}

Value list_take_last_within(Value l) {
    size_t n = len_of(l);
    if (n == 0)
        return ABSENT;
    STORE_RELEASE(&L(l)->len, n - 1);
    Value v = ref_swap(l, &items_of(l)[n - 1], ABSENT);
    trim(l);
    return v;
}

Value list_pop(Value l, intptr_t i) {
    Value v = list_take(l, i);
    if (v == ABSENT)
        err_set(&exc_IndexError, i == -1 || list_len(l) == 0 ? "pop from empty list" : "pop index out of range");
    return v;
}

/* ---- many items ---- */

/* In the section: n items of src, retained, at the end. src may be l's own items. */
static int append_many(Value l, const Ref *src, size_t n) {
    size_t len = len_of(l);
    if (n == 0)
        return 0;
    bool own = src == items_of(l);
    if (open_gap(l, len, n) < 0)
        return -1;
    Ref *items = items_of(l);
    if (own)
        src = items;
    for (size_t i = 0; i < n; i++) {
        Value v = LOAD_RELAXED(&src[i]);
        ref_written(l, ABSENT, v);
        STORE_RELEASE(&items[len + i], retained(v));
    }
    STORE_RELEASE(&L(l)->len, len + n);
    return 0;
}

static int extend_iter(Value l, Value iterable) {
    Value it = obj_iter(iterable);
    if (it == ABSENT)
        return -1;
    intptr_t hint = obj_length_hint(iterable, 8);
    if (hint < 0)
        goto fail;
    if (hint > 4) {
        ExclCs cs;
        excl_cs_begin(&cs, l);
        size_t n = len_of(l);
        ListBlock *b = block_of(l);
        int r = 0;
        /* A hint may be wrong in any way: it is no reason to fail, and no reason to take all memory. */
        if ((size_t)hint < MAX_ITEMS - n && (!b || b->capacity < n + (size_t)hint)) {
            r = reallocate(l, n + (size_t)hint);
        }
        excl_cs_end(&cs);
        if (r < 0)
            goto fail;
    }
    NextFn next = iter_next_fn(it);
    for (size_t steps = 1;; steps++) {
        Value v = next ? next(it) : obj_next(it);
        if (v == ABSENT)
            break;
        if (list_append_steal(l, v) < 0)
            goto fail;
        if ((steps & 1023) == 0 && excl_poll() < 0)
            goto fail;
    }
    if (err_pending())
        goto fail;
    release(it);
    ListBlock *b = LOAD_ACQUIRE(&L(l)->block);
    if (b && list_len(l) < (intptr_t)(hint / 2)) {
        ExclCs cs;
        excl_cs_begin(&cs, l);
        trim(l);
        excl_cs_end(&cs);
    }
    return 0;
fail:
    release(it);
    return -1;
}

int list_extend(Value l, Value iterable) {
    ExclCs cs;
    int r;
    if (v_is_list_exact(iterable) || iterable == l) {
        if (iterable == l)
            excl_cs_begin(&cs, l);
        else
            excl_cs_begin2(&cs, l, iterable);
        r = append_many(l, items_of(iterable), len_of(iterable));
    } else if (v_is_tuple_exact(iterable)) {
        excl_cs_begin(&cs, l);
        r = append_many(l, ((Tuple *)iterable)->items, (size_t)tuple_len(iterable));
    } else {
        Value items = snapshot(iterable);
        if (items == V_MARK)
            return extend_iter(l, iterable);
        r = items == ABSENT ? -1 : list_extend(l, items);
        release(items);
        return r;
    }
    excl_cs_end(&cs);
    return r;
}

Value list_take_all(Value l, ListBlock **home) {
    *home = NULL;
    ExclCs cs;
    excl_cs_begin(&cs, l);
    size_t n = len_of(l);
    Value t = ABSENT;
    if (n == 0 || (*home = block_new(n, n)) != NULL)
        t = scratch_new((intptr_t)n);
    if (t != ABSENT) {
        if (n)
            memcpy((void *)((Tuple *)t)->items, (void *)items_of(l), n * sizeof(Ref));
        install(l, NULL, 0);
    } else {
        block_free(*home);
    }
    excl_cs_end(&cs);
    return t;
}

int list_clear(Value l) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    ListBlock *b = block_of(l);
    size_t n = len_of(l);
    STORE_RELEASE(&L(l)->len, 0);
    STORE_RELEASE(&L(l)->block, NULL);
    for (size_t i = 0; i < n; i++)
        ref_clear(l, &b->items[i]);
    block_retire(l, b);
    excl_cs_end(&cs);
    return 0;
}

int list_ass_slice(Value l, intptr_t lo, intptr_t hi, Value iterable) {
    Value src = ABSENT;
    bool from_list = iterable != ABSENT && v_is_list_exact(iterable) && iterable != l; /* both are locked: no copy */
    if (iterable != ABSENT && !from_list && (src = seq_to_tuple(iterable)) == ABSENT)
        return -1;
    Value *old = NULL, few[16];
    size_t n_old = 0;
    int r = -1;
    ExclCs cs;
    if (from_list)
        excl_cs_begin2(&cs, l, iterable);
    else
        excl_cs_begin(&cs, l);
    size_t n = from_list ? len_of(iterable) : src == ABSENT ? 0 : (size_t)tuple_len(src);
    Ref *from = from_list ? items_of(iterable) : src == ABSENT ? NULL : ((Tuple *)src)->items;
    intptr_t len = list_len(l);
    slice_adjust(len, &lo, &hi, 1);
    hi = MAX(lo, hi);
    n_old = (size_t)(hi - lo);
    old = n_old <= ARRAY_LEN(few) ? few : block_alloc(n_old * sizeof(Value));
    if (!old)
        goto done;
    if (n_old) {
        memcpy(old, (void *)(items_of(l) + lo), n_old * sizeof(Value));
        for (size_t i = 0; i < n_old; i++)
            ref_written(l, old[i], ABSENT);
    }
    if (n > n_old && open_gap(l, (size_t)hi, n - n_old) < 0) {
        n_old = 0; /* nothing has changed */
        goto done;
    }
    Ref *items = items_of(l);
    for (size_t i = 0; i < n; i++) {
        Value v = ref_peek(&from[i]);
        ref_written(l, ABSENT, v);
        STORE_RELEASE(&items[(size_t)lo + i], retained(v));
    }
    if (n > n_old)
        STORE_RELEASE(&L(l)->len, (size_t)len + n - n_old);
    else if (n < n_old)
        close_gap(l, (size_t)lo + n, n_old - n);
    r = 0;
done:
    excl_cs_end(&cs);
    if (old) {
        refs_release((Ref *)old, n_old);
        if (old != few)
            block_free(old);
    }
    release(src);
    return r;
}

int list_reverse(Value l) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    size_t n = len_of(l);
    Ref *items = items_of(l);
    for (size_t i = 0, j = n; i + 1 < j; i++) {
        j--;
        Value a = ref_peek(&items[i]);
        STORE_RELEASE(&items[i], ref_peek(&items[j]));
        STORE_RELEASE(&items[j], a);
    }
    excl_cs_end(&cs);
    return 0;
}

int list_sort(Value l) {
    return list_sort_with(l, ABSENT, false);
}

/* ---- what list_methods.c needs ---- */

intptr_t list_find(Value l, Value x, intptr_t lo, intptr_t hi, bool remove) {
    for (intptr_t i = lo;;) {
        ExclCs cs;
        Value v = ABSENT, taken = ABSENT;
        bool found = false;
        excl_cs_begin(&cs, l);
        intptr_t n = MIN(list_len(l), hi), stop = i < n - 4096 ? i + 4096 : n;
        Ref *items = items_of(l);
        for (; i < stop; i++) {
            Value item = ref_peek(&items[i]);
            int r = simple_eq(item, x);
            if (r == 0)
                continue;
            found = r > 0;
            if (!found)
                v = retained(item);
            else if (remove)
                taken = take_at(l, (size_t)i);
            break;
        }
        excl_cs_end(&cs);
        release(taken);
        if (found)
            return i;
        if (v != ABSENT) {
            int r = obj_eq(v, x);
            if (r > 0 && remove) {
                /* Another thread, or __eq__ itself, may have moved the item. */
                excl_cs_begin(&cs, l);
                intptr_t at = i;
                if (at >= list_len(l) || ref_peek(&items_of(l)[at]) != v)
                    for (at = 0; at < list_len(l) && ref_peek(&items_of(l)[at]) != v; at++)
                        ;
                if (at < list_len(l))
                    taken = take_at(l, (size_t)at);
                excl_cs_end(&cs);
                r = taken != ABSENT;
                release(taken);
            }
            release(v);
            if (r < 0)
                return -2;
            if (r)
                return i;
            i++;
        } else if (i >= n) {
            return -1;
        }
        if (excl_poll() < 0)
            return -2;
    }
}

Value list_slice_step(Value l, Value slice) {
    intptr_t start, stop, step;
    /* The bounds' __index__ may run Python code: the length counts after that. */
    if (slice_unpack(slice, &start, &stop, &step) < 0)
        return ABSENT;
    return list_slice_by(l, start, stop, step);
}
Value list_slice_by(Value l, intptr_t start, intptr_t stop, intptr_t step) {
    ExclCs cs;
    excl_cs_begin(&cs, l);
    intptr_t count = slice_adjust(list_len(l), &start, &stop, step);
    Value r;
    Ref *dst, *items = items_of(l);
    if (step == 1)
        r = list_from(items != NULL ? (Value *)items + start : NULL, count);
    else if ((r = make_unfilled((size_t)count, &dst)) != ABSENT) {
        for (size_t k = 0, at = (size_t)start; k < (size_t)count; k++, at += (size_t)step) /* (the last sum may wrap) */
            ref_init(&dst[k], retained(ref_peek(&items[at])));
        trace_track(v_obj(r));
    }
    excl_cs_end(&cs);
    return r;
}

Value slice_source(Value v, Value slice) {
    intptr_t start, stop, step;
    if (slice_unpack(slice, &start, &stop, &step) < 0)
        return ABSENT;
    Value it = obj_iter(v);
    if (it == ABSENT) {
        if (err_matches(&exc_TypeError))
            err_set(&exc_TypeError,
                    step == 1 ? "can only assign an iterable" : "must assign iterable to extended slice");
        return ABSENT;
    }
    Value t = seq_to_tuple(it);
    release(it);
    return t;
}

int list_ass_slice_step(Value l, Value slice, Value iterable) {
    intptr_t start, stop, step;
    if (slice_unpack(slice, &start, &stop, &step) < 0)
        return -1;
    if (step == 1)
        return list_ass_slice(l, start, stop, iterable);
    Value src = ABSENT;
    if (iterable != ABSENT && (src = seq_to_tuple(iterable)) == ABSENT)
        return -1;
    ExclCs cs;
    int r = 0;
    Value *old = NULL;
    excl_cs_begin(&cs, l);
    intptr_t n = list_len(l), count = slice_adjust(n, &start, &stop, step), n_old = 0;
    Ref *items = items_of(l);
    if (src != ABSENT && tuple_len(src) != count) {
        excl_cs_end(&cs);
        err_set(&exc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd",
                (ssize_t)tuple_len(src), (ssize_t)count);
        release(src);
        return -1;
    }
    if (count > 0 && (old = block_alloc((size_t)count * sizeof(Value))) == NULL) {
        r = -1;
    } else if (src != ABSENT && old != NULL) {
        for (size_t k = 0, at = (size_t)start; k < (size_t)count; k++, at += (size_t)step) /* (the last sum may wrap) */
            old[n_old++] = ref_swap(l, &items[at], retained(tuple_get(src, k)));
    } else if (count > 0) {
        if (step < 0) {
            start += step * (count - 1);
            step = -step;
        }
        intptr_t to = start;
        for (intptr_t at = start, next = start; at < n; at++) {
            Value v = ref_peek(&items[at]);
            if (at == next && n_old < count) {
                ref_written(l, v, ABSENT);
                old[n_old++] = v;
                next = (intptr_t)((size_t)next + (size_t)step); /* (the last sum may wrap) */
            } else {
                STORE_RELEASE(&items[to++], v);
            }
        }
        STORE_RELEASE(&L(l)->len, (size_t)to);
        refs_zero(items + to, (size_t)(n - to));
        trim(l);
    }
    excl_cs_end(&cs);
    if (old) {
        refs_release((Ref *)old, (size_t)n_old);
        block_free(old);
    }
    release(src);
    return r;
}

int list_inplace_repeat(Value l, intptr_t times) {
    if (times <= 0)
        return list_clear(l);
    ExclCs cs;
    excl_cs_begin(&cs, l);
    size_t n = len_of(l), total;
    int r = 0;
    if (__builtin_mul_overflow(n, (size_t)times, &total) || total > MAX_ITEMS) {
        err_no_memory();
        r = -1;
    } else if (total > n && (r = reserve(l, total)) == 0) {
        Ref *items = items_of(l);
        for (size_t i = n; i < total; i++)
            STORE_RELEASE(&items[i], retained(ref_peek(&items[i - n])));
        STORE_RELEASE(&L(l)->len, total);
    }
    excl_cs_end(&cs);
    return r;
}

bool list_put_back(Value l, Value t, ListBlock *home) {
    ExclCs cs;
    size_t n = (size_t)tuple_len(t);
    if (n)
        memcpy((void *)home->items, (void *)((Tuple *)t)->items, n * sizeof(Ref));
    excl_cs_begin(&cs, l);
    for (size_t i = 0; i < n && obj_is_shared(l); i++) /* published since they were taken out, perhaps */
        publish_into(l, LOAD_RELAXED(&home->items[i]));
    ListBlock *old = block_of(l);
    size_t n_old = len_of(l);
    Value *old_items = NULL;
    if (n_old && (old_items = malloc(n_old * sizeof(Value))) != NULL)
        memcpy(old_items, (void *)old->items, n_old * sizeof(Value));
    bool untouched = old == NULL;
    install(l, home, n);
    refs_zero(((Tuple *)t)->items, n);
    excl_cs_end(&cs);
    if (old_items) {
        refs_release((Ref *)old_items, n_old);
        free(old_items);
    }
    return untouched;
}
