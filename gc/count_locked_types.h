/* COUNT locked: a word of its own, guarded by a bit of that word (a leaf lock per count). */
#ifndef POLYGIL_COUNT_LOCKED_TYPES_H
#define POLYGIL_COUNT_LOCKED_TYPES_H

#define COUNT_EXACT 1
#define COUNT_PROMPT 1
#define COUNT_BIASED 0
#define COUNT_LAYOUT COUNT_LAYOUT_WORD

typedef struct CountThread {
    char nothing;
} CountThread;

#endif
