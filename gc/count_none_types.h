/* COUNT none: objects carry no count; the tracer alone knows what is dead. */
#ifndef POLYGIL_COUNT_NONE_TYPES_H
#define POLYGIL_COUNT_NONE_TYPES_H

#define COUNT_EXACT 0
#define COUNT_PROMPT 0
#define COUNT_BIASED 0
#define COUNT_LAYOUT COUNT_LAYOUT_NONE

typedef struct CountThread {
    char nothing;
} CountThread;

#endif
