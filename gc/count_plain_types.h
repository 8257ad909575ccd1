/* COUNT plain: 26 bits beside the flags in one word, counted by loads and stores. Sound under one lock only. */
#ifndef POLYGIL_COUNT_PLAIN_TYPES_H
#define POLYGIL_COUNT_PLAIN_TYPES_H

#define COUNT_EXACT 1
#define COUNT_PROMPT 1
#define COUNT_BIASED 0
#define COUNT_LAYOUT COUNT_LAYOUT_PACKED

typedef struct CountThread {
    char nothing;
} CountThread;

#endif
