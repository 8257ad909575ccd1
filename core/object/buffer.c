#include "object/buffer.h"

#include "object/bytes.h"
#include "object/memoryview.h"

#define MAX_EXPORTERS 32
static struct {
    Type *type;
    BufferGetFn get;
    BufferReleaseFn release;
} exporters[MAX_EXPORTERS];
static _Atomic(int) n_exporters;

void buffer_register(Type *t, BufferGetFn get, BufferReleaseFn release) {
    int i = atomic_fetch_add(&n_exporters, 1);
    if (i >= MAX_EXPORTERS)
        fatal("too many buffer types");
    exporters[i].get = get;
    exporters[i].release = release;
    exporters[i].type = t;
}

static int find_exporter(Value v) {
    int n = atomic_load(&n_exporters);
    for (Type *t = type_of(v); t != NULL; t = t->base)
        for (int i = 0; i < n; i++)
            if (exporters[i].type == t)
                return i;
    return -1;
}

bool v_is_buffer(Value v) {
    if (!v_is_obj(v))
        return false;
    return v_is_bytes(v) || v_is_bytearray(v) || v_is_exact(v, IDX_MEMORYVIEW) || find_exporter(v) >= 0;
}

int buffer_get(Value v, Buffer *b, bool writable) {
    *b = (Buffer){.itemsize = 1, .format = "B", .ndim = 1};
    if (v_is_bytes(v)) {
        b->data = bytes_data(v);
        b->len = bytes_len(v);
        b->readonly = true;
    } else if (v_is_bytearray(v)) {
        ByteArray *a = (ByteArray *)v;
        ExclCs cs;
        excl_cs_begin(&cs, v);
        atomic_fetch_add_explicit(&a->exports, 1, memory_order_relaxed);
        b->data = a->block == NULL ? "" : a->block + a->start;
        b->len = (intptr_t)a->len;
        excl_cs_end(&cs);
    } else if (v_is_exact(v, IDX_MEMORYVIEW)) {
        if (memoryview_export(v, b) < 0)
            return -1;
    } else {
        int i = v_is_obj(v) ? find_exporter(v) : -1;
        if (i < 0) {
            err_set(&exc_TypeError, "a bytes-like object is required, not '%T'", v);
            return -1;
        }
        b->owner = v; /* for get, which may look at it */
        if (exporters[i].get(v, b, writable) < 0) {
            b->owner = ABSENT;
            return -1;
        }
    }
    b->owner = retained(v);
    if (writable && b->readonly) {
        buffer_release(b);
        err_set(&exc_TypeError, "a read-write bytes-like object is required, not '%T'", v);
        return -1;
    }
    return 0;
}

void buffer_release(Buffer *b) {
    Value v = b->owner;
    if (v == ABSENT)
        return;
    b->owner = ABSENT;
    if (!v_is_bytes(v)) {
        if (v_is_bytearray(v))
            atomic_fetch_sub_explicit(&((ByteArray *)v)->exports, 1, memory_order_release);
        else if (v_is_exact(v, IDX_MEMORYVIEW))
            memoryview_unexport(v);
        else {
            int i = find_exporter(v);
            if (i >= 0 && exporters[i].release != NULL)
                exporters[i].release(v, b);
        }
    }
    release(v);
}
