/* memoryview: a typed, possibly strided, window on another object's memory. It pins that memory until it is released or
 * dies. */
#ifndef POLYGIL_MEMORYVIEW_H
#define POLYGIL_MEMORYVIEW_H

#include "object/object.h"

#define MEMORYVIEW_MAX_DIM 64

#define MV_RELEASED ((int64_t)1)
#define MV_EXPORT ((int64_t)2)
#define MV_USER ((int64_t)1 << 32)

typedef struct MemoryView {
    Object hdr;
    Buffer buffer; /* of the exporter; owner ABSENT once released and out of use */
    char *data;    /* first item */
    intptr_t itemsize;
    char *format;   /* heap_block */
    intptr_t *dims; /* heap_block: shape[ndim], strides[ndim] */
    int ndim;
    bool readonly;
    /* MV_RELEASED, how often MV_EXPORT (buffers taken from this view) and MV_USER. Who uses the memory is counted as a
     * user, which nobody becomes once it is released; the memory is given back by who releases it, or by its last user
     * after that. */
    _Atomic(int64_t) state;
    _Atomic(int64_t) hash; /* -1: not yet computed */
} MemoryView;

int memoryview_export(Value v, Buffer *b); /* for buffer_get: contiguous only */
void memoryview_unexport(Value v);
Value memoryview_tobytes(Value v); /* any strides */

#endif
