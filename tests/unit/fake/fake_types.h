/* The least of COUNT, RETIRE and heap under which locks/ and runtime/thread.c run by themselves: objects are never
 * freed. */
#ifndef POLYGIL_FAKE_TYPES_H
#define POLYGIL_FAKE_TYPES_H

#define COUNT_LAYOUT 0
#define COUNT_EXACT 1 /* so that sections are counted */
#define COUNT_PROMPT 0
#define COUNT_BIASED 0
#define RETIRE_DEFERS 1
#define TRACE_FREES 0

typedef struct CountThread {
    int nothing;
} CountThread;
typedef struct RetireThread {
    int inside; /* attached: readers may hold memory */
} RetireThread;

#endif
