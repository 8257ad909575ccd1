/* memoryview: a typed, possibly strided, window on another object's memory. It pins that memory until it is released or
 * dies. */
#ifndef POLYGIL_MEMORYVIEW_H
#define POLYGIL_MEMORYVIEW_H

#include "object/object.h"

#define MEMORYVIEW_MAX_DIM 64

typedef struct MemoryView {
    Object hdr;
    Buffer buffer; /* of the exporter; owner ABSENT for memory of the VM (keeper holds it), and once released */
    Ref keeper;    /* memory of the VM: what keeps it alive */
    char *data;    /* first item */
    intptr_t itemsize;
    char *format;   /* heap_block */
    intptr_t *dims; /* heap_block: shape[ndim], strides[ndim] */
    int ndim;
    bool readonly;
    _Atomic(bool) released;
    _Atomic(intptr_t) exports; /* buffers taken from this view */
    _Atomic(int64_t) hash;     /* -1: not yet computed */
} MemoryView;

int memoryview_export(Value v, Buffer *b); /* for buffer_get: contiguous only */
void memoryview_unexport(Value v);
Value memoryview_tobytes(Value v); /* any strides */

#endif
