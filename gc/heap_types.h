/* What the heap keeps in a thread. See heap.h for the glossary. */
#ifndef POLYGIL_HEAP_TYPES_H
#define POLYGIL_HEAP_TYPES_H

#include "base/base.h"

#define HEAP_SMALL_UNITS 64 /* cells up to 64 x 8 bytes have a class each */
#define HEAP_CLASSES 80     /* classes above: geometric, up to HEAP_CELL_MAX bytes */

typedef struct Page Page;
typedef struct HeapOwner HeapOwner;

typedef struct HeapThread {
    Page *bin[2][HEAP_CLASSES]; /* [PAGE_OBJECTS or PAGE_BLOCKS][class]: the page to allocate from; never NULL */
    HeapOwner *owner;           /* the pages of this thread */
    int64_t unreported;         /* bytes taken (given back: negative) and not yet added to the heap's total */
    int64_t taken;              /* bytes taken since the last collection and not yet added to the heap's sum */
    int64_t took;               /* bytes taken since the last collection that have been added */
    uint32_t sweeping;          /* > 0: what is freed was dead at the last collection */
    uint32_t no_limit;          /* > 0: allocation may pass the limit (inside the collector) */
} HeapThread;

#endif
