/* The regular expression engine: a backtracking matcher over the code that re/_compiler.py makes (MAGIC 20220615,
 * 32-bit code words).
 *
 * Everything that a choice may undo lives in growing arrays, never on the C stack: no pattern and no text can overflow
 * it. choices   where to go on after a failure, with the heights of the other arrays at that time records   one per
 * iteration of a general repeat, and one per running sub-match (assertion, atomic group, possessive repeat) trail old
 * values of group marks that were set since
 */
#ifndef POLYGIL_SRE_H
#define POLYGIL_SRE_H

#include "base/base.h"

#define SRE_MAXREPEAT UINT32_MAX

enum {
    SRE_FAILURE,
    SRE_SUCCESS,
    SRE_ANY,
    SRE_ANY_ALL,
    SRE_ASSERT,
    SRE_ASSERT_NOT,
    SRE_AT,
    SRE_BRANCH,
    SRE_CATEGORY,
    SRE_CHARSET,
    SRE_BIGCHARSET,
    SRE_GROUPREF,
    SRE_GROUPREF_EXISTS,
    SRE_IN,
    SRE_INFO,
    SRE_JUMP,
    SRE_LITERAL,
    SRE_MARK,
    SRE_MAX_UNTIL,
    SRE_MIN_UNTIL,
    SRE_NOT_LITERAL,
    SRE_NEGATE,
    SRE_RANGE,
    SRE_REPEAT,
    SRE_REPEAT_ONE,
    SRE_SUBPATTERN,
    SRE_MIN_REPEAT_ONE,
    SRE_ATOMIC_GROUP,
    SRE_POSSESSIVE_REPEAT,
    SRE_POSSESSIVE_REPEAT_ONE,
    SRE_GROUPREF_IGNORE,
    SRE_IN_IGNORE,
    SRE_LITERAL_IGNORE,
    SRE_NOT_LITERAL_IGNORE,
    SRE_GROUPREF_LOC_IGNORE,
    SRE_IN_LOC_IGNORE,
    SRE_LITERAL_LOC_IGNORE,
    SRE_NOT_LITERAL_LOC_IGNORE,
    SRE_GROUPREF_UNI_IGNORE,
    SRE_IN_UNI_IGNORE,
    SRE_LITERAL_UNI_IGNORE,
    SRE_NOT_LITERAL_UNI_IGNORE,
    SRE_RANGE_UNI_IGNORE
};
enum {
    SRE_AT_BEGINNING,
    SRE_AT_BEGINNING_LINE,
    SRE_AT_BEGINNING_STRING,
    SRE_AT_BOUNDARY,
    SRE_AT_NON_BOUNDARY,
    SRE_AT_END,
    SRE_AT_END_LINE,
    SRE_AT_END_STRING,
    SRE_AT_LOC_BOUNDARY,
    SRE_AT_LOC_NON_BOUNDARY,
    SRE_AT_UNI_BOUNDARY,
    SRE_AT_UNI_NON_BOUNDARY
};
enum {
    SRE_CATEGORY_DIGIT,
    SRE_CATEGORY_NOT_DIGIT,
    SRE_CATEGORY_SPACE,
    SRE_CATEGORY_NOT_SPACE,
    SRE_CATEGORY_WORD,
    SRE_CATEGORY_NOT_WORD,
    SRE_CATEGORY_LINEBREAK,
    SRE_CATEGORY_NOT_LINEBREAK,
    SRE_CATEGORY_LOC_WORD,
    SRE_CATEGORY_LOC_NOT_WORD,
    SRE_CATEGORY_UNI_DIGIT,
    SRE_CATEGORY_UNI_NOT_DIGIT,
    SRE_CATEGORY_UNI_SPACE,
    SRE_CATEGORY_UNI_NOT_SPACE,
    SRE_CATEGORY_UNI_WORD,
    SRE_CATEGORY_UNI_NOT_WORD,
    SRE_CATEGORY_UNI_LINEBREAK,
    SRE_CATEGORY_UNI_NOT_LINEBREAK
};
enum { SRE_INFO_PREFIX = 1, SRE_INFO_LITERAL = 2, SRE_INFO_CHARSET = 4 };

/* False when code is not what the compiler can have made: the matcher relies on it. */
bool sre_validate(const uint32_t *code, size_t n, uint32_t groups);

typedef struct SreChoice {
    uint32_t kind, pc, record, sub, records, trail;
    int32_t lastindex;
    uint32_t spare;
    intptr_t ptr, count;
} SreChoice;
typedef struct SreRecord {
    uint32_t kind, pc, prev, record; /* prev: the one before; record: the repeat that was current (sub-matches) */
    uint32_t choices, trail;
    int64_t count;
    intptr_t ptr;
} SreRecord;
typedef struct SreTrail {
    uint32_t mark;
    intptr_t old;
} SreTrail;

typedef struct SreState {
    const uint32_t *code;
    const void *text;
    int kind;            /* bytes per character */
    intptr_t end;        /* the text's end for this match */
    intptr_t start, ptr; /* of the match found */
    bool match_all;      /* the whole text must match */
    bool must_advance;   /* a match at `start` must not be empty */
    intptr_t *marks;     /* -1: not set */
    uint32_t n_marks;
    int32_t lastindex; /* -1: none */
    uint32_t steps;
    SreChoice *choices;
    SreRecord *records;
    SreTrail *trail;
    uint32_t n_choices, n_records, n_trail, cap_choices, cap_records, cap_trail;
    SreChoice first_choices[24];
    SreRecord first_records[12];
    SreTrail first_trail[24];
    intptr_t first_marks[20];
} SreState;

enum { SRE_NO_MEMORY = -1, SRE_INTERRUPTED = -2 }; /* SRE_INTERRUPTED: an exception is pending */

/* 0, or SRE_NO_MEMORY. marks are cleared. */
int sre_state_init(SreState *st, const uint32_t *code, uint32_t groups, const void *text, int kind, intptr_t start,
                   intptr_t end);
void sre_state_done(SreState *st);
/* At st->start / from st->start on. 1: st->start, st->ptr, marks say what matched; 0; negative. May run signal
 * handlers. */
int sre_match(SreState *st);
int sre_search(SreState *st);
/* Ready for another match after one was found. */
void sre_state_reset(SreState *st);

#endif
