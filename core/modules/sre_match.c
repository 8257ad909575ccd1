#include "modules/sre.h"

#include <ctype.h>

#include "object/object.h"
#include "object/text.h"
#include "object/unicode.h"

/* ---- characters ---- */

static ALWAYS_INLINE uint32_t at(const void *d, const int kind, intptr_t i) {
    return kind == 1 ? ((const uint8_t *)d)[i] : kind == 2 ? ((const uint16_t *)d)[i] : ((const uint32_t *)d)[i];
}

static ALWAYS_INLINE bool ascii_word(uint32_t c) {
    return c < 128 && (unicode_latin1[c] & (UC_ALPHA | UC_DIGIT) || c == '_');
}
static ALWAYS_INLINE bool unicode_word(uint32_t c) {
    if (c < 128)
        return ascii_word(c);
    return unicode_is(c, UC_ALPHA) || unicode_is_numeric(c);
}
static bool locale_word(uint32_t c) {
    return (c < 256 && isalnum((int)c)) || c == '_';
}
static ALWAYS_INLINE uint32_t ascii_lower(uint32_t c) {
    return c - 'A' < 26 ? c + 32 : c;
}
static uint32_t locale_lower(uint32_t c) {
    return c < 256 ? (uint32_t)tolower((int)c) : c;
}
static uint32_t locale_upper(uint32_t c) {
    return c < 256 ? (uint32_t)toupper((int)c) : c;
}
static bool ascii_space(uint32_t c) {
    return c == ' ' || (c >= 9 && c <= 13);
}

static bool category(uint32_t cat, uint32_t c) {
    switch (cat) {
    case SRE_CATEGORY_DIGIT:
        return c - '0' < 10;
    case SRE_CATEGORY_NOT_DIGIT:
        return c - '0' >= 10;
    case SRE_CATEGORY_SPACE:
        return ascii_space(c);
    case SRE_CATEGORY_NOT_SPACE:
        return !ascii_space(c);
    case SRE_CATEGORY_WORD:
        return ascii_word(c);
    case SRE_CATEGORY_NOT_WORD:
        return !ascii_word(c);
    case SRE_CATEGORY_LINEBREAK:
        return c == '\n';
    case SRE_CATEGORY_NOT_LINEBREAK:
        return c != '\n';
    case SRE_CATEGORY_LOC_WORD:
        return locale_word(c);
    case SRE_CATEGORY_LOC_NOT_WORD:
        return !locale_word(c);
    case SRE_CATEGORY_UNI_DIGIT:
        return unicode_is_decimal(c);
    case SRE_CATEGORY_UNI_NOT_DIGIT:
        return !unicode_is_decimal(c);
    case SRE_CATEGORY_UNI_SPACE:
        return unicode_is_space(c);
    case SRE_CATEGORY_UNI_NOT_SPACE:
        return !unicode_is_space(c);
    case SRE_CATEGORY_UNI_WORD:
        return unicode_word(c);
    case SRE_CATEGORY_UNI_NOT_WORD:
        return !unicode_word(c);
    case SRE_CATEGORY_UNI_LINEBREAK:
        return unicode_is_line_break(c);
    default:
        return !unicode_is_line_break(c);
    }
}

/* Whether c is in the set that starts at set. */
static bool in_set(const uint32_t *set, uint32_t c) {
    bool ok = true;
    for (;;)
        switch (*set++) {
        case SRE_FAILURE:
            return !ok;
        case SRE_LITERAL:
            if (c == *set++)
                return ok;
            break;
        case SRE_CATEGORY:
            if (category(*set++, c))
                return ok;
            break;
        case SRE_CHARSET:
            if (c < 256 && (set[c >> 5] & (uint32_t)1 << (c & 31)))
                return ok;
            set += 8;
            break;
        case SRE_RANGE:
            if (set[0] <= c && c <= set[1])
                return ok;
            set += 2;
            break;
        case SRE_RANGE_UNI_IGNORE: {
            if (set[0] <= c && c <= set[1])
                return ok;
            uint32_t u = unicode_upper1(c);
            if (set[0] <= u && u <= set[1])
                return ok;
            set += 2;
            break;
        }
        case SRE_NEGATE:
            ok = !ok;
            break;
        case SRE_BIGCHARSET: {
            uint32_t blocks = *set++;
            const uint8_t *map = (const uint8_t *)set;
            const uint32_t *bits = set + 64;
            if (c < 65536) {
                const uint32_t *b = bits + (size_t)8 * map[c >> 8];
                if (b[c >> 5 & 7] & (uint32_t)1 << (c & 31))
                    return ok;
            }
            set = bits + (size_t)8 * blocks;
            break;
        }
        default:
            return false;
        }
}

static bool in_set_locale(const uint32_t *set, uint32_t c) {
    uint32_t lo = locale_lower(c);
    if (in_set(set, lo))
        return true;
    uint32_t up = locale_upper(c);
    return up != lo && in_set(set, up);
}
static bool locale_same(uint32_t pattern, uint32_t c) {
    return c == pattern || locale_lower(c) == pattern || locale_upper(c) == pattern;
}

static bool at_position(const SreState *st, const int kind, intptr_t p, uint32_t what) {
    const void *d = st->text;
    bool before, after;
    switch (what) {
    case SRE_AT_BEGINNING:
    case SRE_AT_BEGINNING_STRING:
        return p == 0;
    case SRE_AT_BEGINNING_LINE:
        return p == 0 || at(d, kind, p - 1) == '\n';
    case SRE_AT_END:
        return p == st->end || (p + 1 == st->end && at(d, kind, p) == '\n');
    case SRE_AT_END_LINE:
        return p == st->end || at(d, kind, p) == '\n';
    case SRE_AT_END_STRING:
        return p == st->end;
    default:
        break;
    }
    if (st->end == 0)
        return false;
#define SIDES(test) before = p > 0 && test(at(d, kind, p - 1)), after = p < st->end && test(at(d, kind, p))
    switch (what) {
    case SRE_AT_BOUNDARY:
    case SRE_AT_NON_BOUNDARY:
        SIDES(ascii_word);
        return (before != after) == (what == SRE_AT_BOUNDARY);
    case SRE_AT_LOC_BOUNDARY:
    case SRE_AT_LOC_NON_BOUNDARY:
        SIDES(locale_word);
        return (before != after) == (what == SRE_AT_LOC_BOUNDARY);
    default:
        SIDES(unicode_word);
        return (before != after) == (what == SRE_AT_UNI_BOUNDARY);
    }
#undef SIDES
}

/* Whether the one-character op at code matches c. */
static ALWAYS_INLINE bool one(const uint32_t *code, uint32_t c) {
    switch (code[0]) {
    case SRE_LITERAL:
        return c == code[1];
    case SRE_NOT_LITERAL:
        return c != code[1];
    case SRE_ANY:
        return c != '\n';
    case SRE_ANY_ALL:
        return true;
    case SRE_IN:
        return in_set(code + 2, c);
    case SRE_CATEGORY:
        return category(code[1], c);
    case SRE_LITERAL_IGNORE:
        return ascii_lower(c) == code[1];
    case SRE_NOT_LITERAL_IGNORE:
        return ascii_lower(c) != code[1];
    case SRE_IN_IGNORE:
        return in_set(code + 2, ascii_lower(c));
    case SRE_LITERAL_UNI_IGNORE:
        return unicode_lower1(c) == code[1];
    case SRE_NOT_LITERAL_UNI_IGNORE:
        return unicode_lower1(c) != code[1];
    case SRE_IN_UNI_IGNORE:
        return in_set(code + 2, unicode_lower1(c));
    case SRE_LITERAL_LOC_IGNORE:
        return locale_same(code[1], c);
    case SRE_NOT_LITERAL_LOC_IGNORE:
        return !locale_same(code[1], c);
    case SRE_IN_LOC_IGNORE:
        return in_set_locale(code + 2, c);
    default:
        return false;
    }
}

/* How many characters from p on, at most max, the one-character op matches. */
static ALWAYS_INLINE intptr_t count_one(const SreState *st, const int kind, intptr_t p, uint32_t max,
                                        const uint32_t *code) {
    const void *d = st->text;
    intptr_t limit = st->end, i = p;
    if (max != SRE_MAXREPEAT && (intptr_t)max < limit - p)
        limit = p + (intptr_t)max;
    switch (code[0]) {
    case SRE_ANY_ALL:
        return limit - p;
    case SRE_ANY:
        if (kind == 1) {
            const char *nl = limit > p ? memchr((const char *)d + p, '\n', (size_t)(limit - p)) : NULL;
            return nl == NULL ? limit - p : nl - ((const char *)d + p);
        }
        while (i < limit && at(d, kind, i) != '\n')
            i++;
        break;
    case SRE_LITERAL:
        while (i < limit && at(d, kind, i) == code[1])
            i++;
        break;
    case SRE_NOT_LITERAL:
        if (kind == 1) {
            const char *hit =
                limit > p && code[1] < 256 ? memchr((const char *)d + p, (int)code[1], (size_t)(limit - p)) : NULL;
            return hit == NULL ? limit - p : hit - ((const char *)d + p);
        }
        while (i < limit && at(d, kind, i) != code[1])
            i++;
        break;
    case SRE_IN: {
        const uint32_t *set = code + 2;
        if (set[0] == SRE_CHARSET && set[9] == SRE_FAILURE) { /* a bitmap and nothing else */
            for (uint32_t c; i < limit && (c = at(d, kind, i)) < 256 && (set[1 + (c >> 5)] & (uint32_t)1 << (c & 31));
                 i++)
                ;
            break;
        }
        if (set[0] == SRE_RANGE && set[3] == SRE_FAILURE) {
            uint32_t lo = set[1], span = set[2] - lo;
            while (i < limit && at(d, kind, i) - lo <= span)
                i++;
            break;
        }
        if (set[0] == SRE_CATEGORY && set[2] == SRE_FAILURE) {
            uint32_t cat = set[1];
            if (cat == SRE_CATEGORY_UNI_WORD) {
                for (uint32_t c; i < limit; i++)
                    if (!((c = at(d, kind, i)) < 128 ? ascii_word(c) : unicode_word(c)))
                        break;
            } else if (cat == SRE_CATEGORY_UNI_SPACE) {
                while (i < limit && unicode_is_space(at(d, kind, i)))
                    i++;
            } else if (cat == SRE_CATEGORY_UNI_DIGIT) {
                while (i < limit && unicode_is_decimal(at(d, kind, i)))
                    i++;
            } else
                while (i < limit && category(cat, at(d, kind, i)))
                    i++;
            break;
        }
        while (i < limit && in_set(set, at(d, kind, i)))
            i++;
        break;
    }
    default:
        while (i < limit && one(code, at(d, kind, i)))
            i++;
    }
    return i - p;
}

/* ---- the state ---- */

int sre_state_init(SreState *st, const uint32_t *code, uint32_t groups, const void *text, int kind, intptr_t start,
                   intptr_t end) {
    st->code = code;
    st->text = text;
    st->kind = kind;
    st->start = st->ptr = start;
    st->end = end;
    st->match_all = st->must_advance = false;
    st->n_marks = groups * 2;
    st->lastindex = -1;
    st->steps = 0;
    st->choices = st->first_choices;
    st->records = st->first_records;
    st->trail = st->first_trail;
    st->n_choices = st->n_records = st->n_trail = 0;
    st->cap_choices = ARRAY_LEN(st->first_choices);
    st->cap_records = ARRAY_LEN(st->first_records);
    st->cap_trail = ARRAY_LEN(st->first_trail);
    st->marks = st->first_marks;
    if (st->n_marks > ARRAY_LEN(st->first_marks) && (st->marks = malloc(st->n_marks * sizeof(intptr_t))) == NULL) {
        st->marks = st->first_marks;
        return SRE_NO_MEMORY;
    }
    for (uint32_t i = 0; i < st->n_marks; i++)
        st->marks[i] = -1;
    return 0;
}

void sre_state_done(SreState *st) {
    if (st->choices != st->first_choices)
        free(st->choices);
    if (st->records != st->first_records)
        free(st->records);
    if (st->trail != st->first_trail)
        free(st->trail);
    if (st->marks != st->first_marks)
        free(st->marks);
}

void sre_state_reset(SreState *st) {
    for (uint32_t i = 0; i < st->n_marks; i++)
        st->marks[i] = -1;
    st->lastindex = -1;
    st->n_choices = st->n_records = st->n_trail = 0;
}

/* Doubles an array that may still be the state's own. */
static bool grow(void *array, void *own, uint32_t *cap, size_t item) {
    void **p = array;
    if (*cap == 0 || *cap > UINT32_MAX / 2)
        return false;
    void *n = *p == own ? malloc(item * *cap * 2) : realloc(*p, item * *cap * 2);
    if (n == NULL)
        return false;
    if (*p == own)
        memcpy(n, own, item * *cap);
    *p = n;
    *cap *= 2;
    return true;
}

/* ---- matching ---- */

/* Choices: what a failure does. */
enum {
    C_GO,         /* go on at pc with ptr */
    C_BRANCH,     /* pc: the next alternative's skip word */
    C_REPEAT_ONE, /* pc: the op; one character less than count from ptr */
    C_MIN_ONE,    /* pc: the op; one character more than count from ptr */
    C_MIN_BODY,   /* pc: MIN_UNTIL; the tail failed, try the body once more */
    C_POSSESSIVE, /* the body failed: the repeat is complete at ptr; pc: the tail */
};
/* Sub-matches: what SUCCESS means. Record 0 is the match itself. */
enum { R_ROOT, R_REPEAT, R_ASSERT, R_ASSERT_NOT, R_ATOMIC, R_POSSESSIVE };

#define NO_RECORD 0

static ALWAYS_INLINE int match_kind(SreState *st, const int kind, uint32_t pc, intptr_t p) {
    const uint32_t *code = st->code;
    const void *d = st->text;
    const intptr_t end = st->end, origin = p;
    uint32_t record = NO_RECORD, sub = NO_RECORD;
    st->n_choices = st->n_trail = 0;
    st->n_records = 1;
    st->records[0] = (SreRecord){.kind = R_ROOT};

#define PUSH(k, pc_, ptr_, count_, record_)                                              \
    do {                                                                                 \
        if (UNLIKELY(st->n_choices == st->cap_choices) &&                                \
            !grow(&st->choices, st->first_choices, &st->cap_choices, sizeof(SreChoice))) \
            return SRE_NO_MEMORY;                                                        \
        st->choices[st->n_choices++] = (SreChoice){.kind = (k),                          \
                                                   .pc = (pc_),                          \
                                                   .record = (record_),                  \
                                                   .sub = sub,                           \
                                                   .records = st->n_records,             \
                                                   .trail = st->n_trail,                 \
                                                   .lastindex = st->lastindex,           \
                                                   .ptr = (ptr_),                        \
                                                   .count = (count_)};                   \
    } while (0)
#define NEW_RECORD(...)                                                                  \
    do {                                                                                 \
        if (UNLIKELY(st->n_records == st->cap_records) &&                                \
            !grow(&st->records, st->first_records, &st->cap_records, sizeof(SreRecord))) \
            return SRE_NO_MEMORY;                                                        \
        st->records[st->n_records++] = (SreRecord){__VA_ARGS__};                         \
    } while (0)

    for (;;) {
        switch (code[pc]) {
        case SRE_FAILURE:
            goto fail;

        case SRE_SUCCESS: {
            SreRecord *s = &st->records[sub];
            switch (s->kind) {
            case R_ROOT:
                if ((st->match_all && p != end) || (st->must_advance && p == origin))
                    goto fail;
                st->ptr = p;
                return 1;
            case R_ASSERT:
                p = s->ptr;
                /* fall through */
            case R_ATOMIC:
                st->n_choices = s->choices;
                pc = s->pc;
                record = s->record;
                sub = s->prev;
                continue;
            case R_ASSERT_NOT:
                st->n_choices = s->choices; /* without the one that would go on behind the assertion */
                goto undo_and_fail;
            case R_POSSESSIVE: {
                /* s->pc: the op's first argument */
                const uint32_t *arg = code + s->pc;
                bool moved = p != s->ptr;
                st->n_choices = s->choices;
                s->count++;
                if (s->count < arg[1] || ((arg[2] == SRE_MAXREPEAT || s->count < arg[2]) && moved)) {
                    s->ptr = p;
                    if (s->count >= arg[1]) {
                        uint32_t own = sub;
                        sub = s->prev;
                        PUSH(C_POSSESSIVE, st->records[own].pc + arg[0] + 1, p, 0, st->records[own].record);
                        sub = own;
                        s = &st->records[own];
                    }
                    record = s->record;
                    pc = s->pc + 3;
                    continue;
                }
                pc = s->pc + arg[0] + 1;
                record = s->record;
                sub = s->prev;
                continue;
            }
            default:
                goto fail;
            }
        }

        case SRE_INFO:
        case SRE_JUMP:
            pc += 1 + code[pc + 1];
            continue;

        case SRE_LITERAL:
            if (p >= end || at(d, kind, p) != code[pc + 1])
                goto fail;
            p++;
            pc += 2;
            continue;
        case SRE_NOT_LITERAL:
            if (p >= end || at(d, kind, p) == code[pc + 1])
                goto fail;
            p++;
            pc += 2;
            continue;
        case SRE_ANY:
            if (p >= end || at(d, kind, p) == '\n')
                goto fail;
            p++;
            pc++;
            continue;
        case SRE_ANY_ALL:
            if (p >= end)
                goto fail;
            p++;
            pc++;
            continue;
        case SRE_IN:
            if (p >= end || !in_set(code + pc + 2, at(d, kind, p)))
                goto fail;
            p++;
            pc += 1 + code[pc + 1];
            continue;
        case SRE_CATEGORY:
        case SRE_LITERAL_IGNORE:
        case SRE_NOT_LITERAL_IGNORE:
        case SRE_LITERAL_UNI_IGNORE:
        case SRE_NOT_LITERAL_UNI_IGNORE:
        case SRE_LITERAL_LOC_IGNORE:
        case SRE_NOT_LITERAL_LOC_IGNORE:
            if (p >= end || !one(code + pc, at(d, kind, p)))
                goto fail;
            p++;
            pc += 2;
            continue;
        case SRE_IN_IGNORE:
        case SRE_IN_UNI_IGNORE:
        case SRE_IN_LOC_IGNORE:
            if (p >= end || !one(code + pc, at(d, kind, p)))
                goto fail;
            p++;
            pc += 1 + code[pc + 1];
            continue;

        case SRE_AT:
            if (!at_position(st, kind, p, code[pc + 1]))
                goto fail;
            pc += 2;
            continue;

        case SRE_MARK: {
            uint32_t i = code[pc + 1];
            if (UNLIKELY(st->n_trail == st->cap_trail) &&
                !grow(&st->trail, st->first_trail, &st->cap_trail, sizeof(SreTrail)))
                return SRE_NO_MEMORY;
            st->trail[st->n_trail++] = (SreTrail){i, st->marks[i]};
            st->marks[i] = p;
            if (i & 1)
                st->lastindex = (int32_t)(i / 2 + 1);
            pc += 2;
            continue;
        }

        case SRE_GROUPREF:
        case SRE_GROUPREF_IGNORE:
        case SRE_GROUPREF_UNI_IGNORE:
        case SRE_GROUPREF_LOC_IGNORE: {
            size_t group = code[pc + 1];
            intptr_t lo = st->marks[2 * group], hi = st->marks[2 * group + 1];
            if (lo < 0 || hi < lo || hi - lo > end - p)
                goto fail;
            for (; lo < hi; lo++, p++) {
                uint32_t a = at(d, kind, p), b = at(d, kind, lo);
                if (a == b)
                    continue;
                if (code[pc] == SRE_GROUPREF || (code[pc] == SRE_GROUPREF_IGNORE && ascii_lower(a) != ascii_lower(b)) ||
                    (code[pc] == SRE_GROUPREF_UNI_IGNORE && unicode_lower1(a) != unicode_lower1(b)) ||
                    (code[pc] == SRE_GROUPREF_LOC_IGNORE && locale_lower(a) != locale_lower(b)))
                    goto fail;
            }
            pc += 2;
            continue;
        }
        case SRE_GROUPREF_EXISTS: {
            size_t group = code[pc + 1];
            intptr_t lo = st->marks[2 * group], hi = st->marks[2 * group + 1];
            if (lo < 0 || hi < lo)
                pc += 1 + code[pc + 2];
            else
                pc += 3;
            continue;
        }

        case SRE_ASSERT:
            if (p < (intptr_t)code[pc + 2])
                goto fail;
            NEW_RECORD(.kind = R_ASSERT, .pc = pc + 1 + code[pc + 1], .prev = sub, .record = record,
                       .choices = st->n_choices, .ptr = p);
            sub = st->n_records - 1;
            p -= code[pc + 2];
            pc += 3;
            continue;
        case SRE_ASSERT_NOT: {
            uint32_t tail = pc + 1 + code[pc + 1];
            if (p < (intptr_t)code[pc + 2]) {
                pc = tail;
                continue;
            }
            uint32_t below = st->n_choices, trail = st->n_trail;
            PUSH(C_GO, tail, p, 0, record);
            NEW_RECORD(.kind = R_ASSERT_NOT, .pc = tail, .prev = sub, .record = record, .choices = below,
                       .trail = trail, .ptr = p);
            sub = st->n_records - 1;
            p -= code[pc + 2];
            pc += 3;
            continue;
        }
        case SRE_ATOMIC_GROUP:
            NEW_RECORD(.kind = R_ATOMIC, .pc = pc + 1 + code[pc + 1], .prev = sub, .record = record,
                       .choices = st->n_choices);
            sub = st->n_records - 1;
            pc += 2;
            continue;

        case SRE_BRANCH:
            pc++;
        branch:
            /* pc: the skip word of the alternative to try; alternatives that cannot match here are passed over */
            for (;; pc += code[pc]) {
                if (code[pc] == 0)
                    goto fail;
                const uint32_t *first = code + pc + 1;
                if (first[0] == SRE_LITERAL && (p >= end || at(d, kind, p) != first[1]))
                    continue;
                if (first[0] == SRE_IN && (p >= end || !in_set(first + 2, at(d, kind, p))))
                    continue;
                break;
            }
            if (code[pc + code[pc]] != 0)
                PUSH(C_BRANCH, pc + code[pc], p, 0, record);
            pc++;
            continue;

        case SRE_REPEAT_ONE: {
            const uint32_t *arg = code + pc + 1;
            if (end - p < (intptr_t)arg[1])
                goto fail;
            intptr_t n = count_one(st, kind, p, arg[2], arg + 3);
            if (n < (intptr_t)arg[1])
                goto fail;
            uint32_t tail = pc + 1 + arg[0];
            if (code[tail] == SRE_SUCCESS && st->records[sub].kind == R_ROOT && !st->match_all && !st->must_advance) {
                p += n;
                pc = tail;
                continue;
            }
            if (n > (intptr_t)arg[1]) {
                PUSH(C_REPEAT_ONE, pc, p, n + 1, record);
                goto resume_repeat_one;
            }
            p += n;
            pc = tail;
            continue;
        }
        case SRE_MIN_REPEAT_ONE: {
            const uint32_t *arg = code + pc + 1;
            if (end - p < (intptr_t)arg[1])
                goto fail;
            intptr_t n = arg[1] == 0 ? 0 : count_one(st, kind, p, arg[1], arg + 3);
            if (n < (intptr_t)arg[1])
                goto fail;
            if (arg[2] == SRE_MAXREPEAT || n < (intptr_t)arg[2])
                PUSH(C_MIN_ONE, pc, p, n, record);
            p += n;
            pc += 1 + arg[0];
            continue;
        }
        case SRE_POSSESSIVE_REPEAT_ONE: {
            const uint32_t *arg = code + pc + 1;
            if (end - p < (intptr_t)arg[1])
                goto fail;
            intptr_t n = count_one(st, kind, p, arg[2], arg + 3);
            if (n < (intptr_t)arg[1])
                goto fail;
            p += n;
            pc += 1 + arg[0];
            continue;
        }

        case SRE_REPEAT:
            NEW_RECORD(.kind = R_REPEAT, .pc = pc + 1, .prev = record, .count = -1, .ptr = -1);
            record = st->n_records - 1;
            pc += 1 + code[pc + 1];
            continue;

        case SRE_MAX_UNTIL: {
            SreRecord r = st->records[record];
            const uint32_t *arg = code + r.pc;
            int64_t n = r.count + 1;
            if (n < arg[1])
                NEW_RECORD(.kind = R_REPEAT, .pc = r.pc, .prev = r.prev, .count = n, .ptr = r.ptr);
            else if ((n < arg[2] || arg[2] == SRE_MAXREPEAT) && p != r.ptr) {
                PUSH(C_GO, pc + 1, p, 0, r.prev);
                NEW_RECORD(.kind = R_REPEAT, .pc = r.pc, .prev = r.prev, .count = n, .ptr = p);
            } else {
                record = r.prev;
                pc++;
                continue;
            }
            record = st->n_records - 1;
            pc = r.pc + 3;
            if (UNLIKELY((++st->steps & 0x3fff) == 0) && excl_poll() < 0)
                return SRE_INTERRUPTED;
            continue;
        }
        case SRE_MIN_UNTIL: {
            SreRecord r = st->records[record];
            const uint32_t *arg = code + r.pc;
            int64_t n = r.count + 1;
            if (n < arg[1]) {
                NEW_RECORD(.kind = R_REPEAT, .pc = r.pc, .prev = r.prev, .count = n, .ptr = r.ptr);
                record = st->n_records - 1;
                pc = r.pc + 3;
                continue;
            }
            if ((n < arg[2] || arg[2] == SRE_MAXREPEAT) && p != r.ptr)
                PUSH(C_MIN_BODY, r.pc, p, n, record);
            record = r.prev;
            pc++;
            continue;
        }

        case SRE_POSSESSIVE_REPEAT: {
            const uint32_t *arg = code + pc + 1;
            NEW_RECORD(.kind = R_POSSESSIVE, .pc = pc + 1, .prev = sub, .record = record, .choices = st->n_choices,
                       .ptr = p);
            if (arg[1] == 0)
                PUSH(C_POSSESSIVE, pc + 1 + arg[0] + 1, p, 0, record);
            sub = st->n_records - 1;
            if (arg[2] == 0) {
                st->n_choices = st->records[sub].choices;
                sub = st->records[sub].prev;
                pc += 1 + arg[0] + 1;
                continue;
            }
            pc += 4;
            continue;
        }

        default:
            return 0; /* sre_validate has seen to it that there is nothing else */
        }

    undo_and_fail: {
        /* Of a negative assertion whose body matched: its marks go. */
        uint32_t trail = st->records[sub].trail;
        while (st->n_trail > trail) {
            SreTrail *t = &st->trail[--st->n_trail];
            st->marks[t->mark] = t->old;
        }
    }
    fail:
        if (st->n_choices == 0) {
            while (st->n_trail > 0) {
                SreTrail *t = &st->trail[--st->n_trail];
                st->marks[t->mark] = t->old;
            }
            st->lastindex = -1;
            return 0;
        }
        if (UNLIKELY((++st->steps & 0x3fff) == 0) && excl_poll() < 0)
            return SRE_INTERRUPTED;
    resume_repeat_one: {
        SreChoice *c = &st->choices[st->n_choices - 1];
        while (st->n_trail > c->trail) {
            SreTrail *t = &st->trail[--st->n_trail];
            st->marks[t->mark] = t->old;
        }
        st->lastindex = c->lastindex;
        st->n_records = c->records;
        record = c->record;
        sub = c->sub;
        p = c->ptr;
        pc = c->pc;
        switch (c->kind) {
        case C_GO:
        case C_POSSESSIVE:
            st->n_choices--;
            continue;
        case C_BRANCH:
            st->n_choices--;
            goto branch;
        case C_REPEAT_ONE: {
            const uint32_t *arg = code + pc + 1;
            uint32_t tail = pc + 1 + arg[0];
            intptr_t n = c->count - 1, min = arg[1];
            if (code[tail] == SRE_LITERAL) { /* only where the literal follows */
                uint32_t lit = code[tail + 1];
                if (p + n >= end)
                    n = end - p - 1;
                while (n >= min && at(d, kind, p + n) != lit)
                    n--;
            }
            if (n <= min) {
                st->n_choices--;
                if (n < min)
                    goto fail;
            } else
                c->count = n;
            p += n;
            pc = tail;
            continue;
        }
        case C_MIN_ONE: {
            const uint32_t *arg = code + pc + 1;
            uint32_t tail = pc + 1 + arg[0];
            intptr_t n = c->count;
            bool ok;
            if (code[tail] == SRE_LITERAL) { /* on to where the literal follows */
                uint32_t lit = code[tail + 1];
                do {
                    ok = p + n < end && one(arg + 3, at(d, kind, p + n));
                    n += ok;
                } while (ok && (p + n >= end || at(d, kind, p + n) != lit) &&
                         (arg[2] == SRE_MAXREPEAT || n < (intptr_t)arg[2]));
            } else {
                ok = p + n < end && one(arg + 3, at(d, kind, p + n));
                n += ok;
            }
            if (!ok) {
                st->n_choices--;
                goto fail;
            }
            if (arg[2] != SRE_MAXREPEAT && n >= (intptr_t)arg[2])
                st->n_choices--;
            else
                c->count = n;
            p += n;
            pc = tail;
            continue;
        }
        case C_MIN_BODY: {
            uint32_t prev = st->records[record].prev;
            intptr_t n = c->count;
            st->n_choices--;
            NEW_RECORD(.kind = R_REPEAT, .pc = pc, .prev = prev, .count = n, .ptr = p);
            record = st->n_records - 1;
            pc += 3;
            continue;
        }
        }
    }
    }
#undef PUSH
#undef NEW_RECORD
}

static NOINLINE int match1(SreState *st, uint32_t pc, intptr_t p) {
    return match_kind(st, 1, pc, p);
}
static NOINLINE int match2(SreState *st, uint32_t pc, intptr_t p) {
    return match_kind(st, 2, pc, p);
}
static NOINLINE int match4(SreState *st, uint32_t pc, intptr_t p) {
    return match_kind(st, 4, pc, p);
}

static int match_at(SreState *st, uint32_t pc, intptr_t p) {
    return st->kind == 1 ? match1(st, pc, p) : st->kind == 2 ? match2(st, pc, p) : match4(st, pc, p);
}

int sre_match(SreState *st) {
    if (st->start > st->end)
        return 0;
    return match_at(st, 0, st->start);
}

/* Where a literal prefix occurs from p on; -1: nowhere. */
static intptr_t find_prefix(SreState *st, const uint32_t *prefix, uint32_t n, intptr_t p, intptr_t end) {
    uint8_t buf[128];
    uint32_t limit = st->kind == 1 ? 0xff : st->kind == 2 ? 0xffff : UINT32_MAX;
    n = MIN(n, (uint32_t)(sizeof(buf) / (size_t)st->kind)); /* the rest is for the matcher */
    for (uint32_t i = 0; i < n; i++) {
        if (prefix[i] > limit)
            return -1;
        if (st->kind == 1)
            buf[i] = (uint8_t)prefix[i];
        else if (st->kind == 2)
            ((uint16_t *)buf)[i] = (uint16_t)prefix[i];
        else
            ((uint32_t *)buf)[i] = prefix[i];
    }
    intptr_t i = text_find((const char *)st->text + p * st->kind, end - p, buf, n, st->kind, 1);
    return i < 0 ? -1 : p + i;
}

int sre_search(SreState *st) {
    const uint32_t *code = st->code, *prefix = NULL, *set = NULL;
    intptr_t p = st->start, end = st->end, last = end;
    uint32_t n_prefix = 0, pc = 0, literal;
    bool whole = false;
    if (p > end)
        return 0;
    if (code[0] == SRE_INFO) {
        uint32_t flags = code[2], min = code[3];
        if (min > 0) {
            if (end - p < (intptr_t)min)
                return 0;
            last = end - (intptr_t)min;
        }
        if (flags & SRE_INFO_PREFIX) {
            n_prefix = code[5];
            prefix = code + 7;
            whole = flags & SRE_INFO_LITERAL;
        } else if (flags & SRE_INFO_CHARSET)
            set = code + 5;
        pc = 1 + code[1];
    }
    if (code[pc] == SRE_AT && (code[pc + 1] == SRE_AT_BEGINNING || code[pc + 1] == SRE_AT_BEGINNING_STRING))
        last = MIN(last, p); /* nowhere else */
    if (prefix == NULL && set == NULL && code[pc] == SRE_LITERAL) {
        literal = code[pc + 1];
        prefix = &literal;
        n_prefix = 1;
    }
    for (; p <= last; p++) {
        if (n_prefix > 0) {
            p = find_prefix(st, prefix, n_prefix, p, end);
            if (p < 0 || p > last)
                return 0;
            if (whole && n_prefix * (uint32_t)st->kind <= 128 && !st->match_all) {
                st->start = p;
                st->ptr = p + n_prefix;
                return 1;
            }
        } else if (set != NULL) {
            while (p <= last && (p == end || !in_set(set, at(st->text, st->kind, p))))
                p++;
            if (p > last)
                return 0;
        }
        if (p != st->start)
            st->must_advance = false;
        int r = match_at(st, pc, p);
        if (r != 0) {
            if (r > 0)
                st->start = p;
            return r;
        }
        if (UNLIKELY((++st->steps & 0x3fff) == 0) && excl_poll() < 0)
            return SRE_INTERRUPTED;
    }
    return 0;
}

/* ---- validation ---- */

typedef struct Check {
    const uint32_t *code;
    uint32_t groups;
    int depth;
} Check;

static bool check_set(Check *c, size_t i, size_t end) {
    while (i < end)
        switch (c->code[i++]) {
        case SRE_NEGATE:
            break;
        case SRE_FAILURE:
            return i == end;
        case SRE_LITERAL:
            i++;
            break;
        case SRE_CATEGORY:
            if (i >= end || c->code[i++] > SRE_CATEGORY_UNI_NOT_LINEBREAK)
                return false;
            break;
        case SRE_RANGE:
        case SRE_RANGE_UNI_IGNORE:
            i += 2;
            break;
        case SRE_CHARSET:
            i += 8;
            break;
        case SRE_BIGCHARSET: {
            if (i + 65 > end)
                return false;
            uint32_t blocks = c->code[i++];
            const uint8_t *map = (const uint8_t *)(c->code + i);
            for (int k = 0; k < 256; k++)
                if (map[k] >= blocks)
                    return false;
            i += 64 + (size_t)8 * blocks;
            break;
        }
        default:
            return false;
        }
    return false;
}

/* Items of the code in [i, end), which must end exactly there. */
static bool check_code(Check *c, size_t i, size_t end) {
    const uint32_t *code = c->code;
    bool ok = true;
    if (++c->depth > 4000)
        return false;
#define NEED(n)        \
    if (i + (n) > end) \
    return false
    while (ok && i < end) {
        uint32_t op = code[i++];
        size_t skip;
        switch (op) {
        case SRE_MARK:
            NEED(1);
            ok = code[i++] < 2 * (uint64_t)c->groups;
            break;
        case SRE_LITERAL:
        case SRE_NOT_LITERAL:
        case SRE_LITERAL_IGNORE:
        case SRE_NOT_LITERAL_IGNORE:
        case SRE_LITERAL_UNI_IGNORE:
        case SRE_NOT_LITERAL_UNI_IGNORE:
        case SRE_LITERAL_LOC_IGNORE:
        case SRE_NOT_LITERAL_LOC_IGNORE:
            NEED(1);
            i++;
            break;
        case SRE_SUCCESS:
        case SRE_FAILURE:
        case SRE_ANY:
        case SRE_ANY_ALL:
            break;
        case SRE_AT:
            NEED(1);
            ok = code[i++] <= SRE_AT_UNI_NON_BOUNDARY;
            break;
        case SRE_CATEGORY:
            NEED(1);
            ok = code[i++] <= SRE_CATEGORY_UNI_NOT_LINEBREAK;
            break;
        case SRE_IN:
        case SRE_IN_IGNORE:
        case SRE_IN_UNI_IGNORE:
        case SRE_IN_LOC_IGNORE:
            NEED(1);
            skip = code[i];
            NEED(skip);
            ok = skip >= 1 && check_set(c, i + 1, i + skip);
            i += skip;
            break;
        case SRE_INFO:
            NEED(1);
            skip = code[i];
            NEED(skip);
            ok = skip >= 4;
            if (ok && (code[i + 1] & SRE_INFO_PREFIX))
                ok = skip >= 6 && code[i + 4] > 0 && (uint64_t)6 + 2 * (uint64_t)code[i + 4] == skip;
            else if (ok && (code[i + 1] & SRE_INFO_CHARSET))
                ok = check_set(c, i + 4, i + skip);
            i += skip;
            break;
        case SRE_BRANCH: {
            size_t target = 0;
            for (;;) {
                NEED(1);
                skip = code[i];
                if (skip == 0)
                    break;
                NEED(skip);
                if (skip < 3 || !check_code(c, i + 1, i + skip - 2) || code[i + skip - 2] != SRE_JUMP)
                    return false;
                size_t to = i + skip - 1 + code[i + skip - 1];
                if (target == 0)
                    target = to;
                else if (to != target)
                    return false;
                i += skip;
            }
            i++;
            ok = target == 0 || target == i;
            break;
        }
        case SRE_REPEAT_ONE:
        case SRE_MIN_REPEAT_ONE:
        case SRE_POSSESSIVE_REPEAT_ONE:
            NEED(3);
            skip = code[i];
            NEED(skip);
            ok = skip >= 5 && code[i + 1] <= code[i + 2] && code[i + skip - 1] == SRE_SUCCESS &&
                 check_code(c, i + 3, i + skip);
            i += skip;
            break;
        case SRE_REPEAT:
        case SRE_POSSESSIVE_REPEAT:
            NEED(3);
            skip = code[i];
            NEED(skip + 1);
            ok = skip >= 3 && code[i + 1] <= code[i + 2] && check_code(c, i + 3, i + skip);
            i += skip;
            ok = ok &&
                 (op == SRE_REPEAT ? code[i] == SRE_MAX_UNTIL || code[i] == SRE_MIN_UNTIL : code[i] == SRE_SUCCESS);
            i++;
            break;
        case SRE_ATOMIC_GROUP:
            NEED(1);
            skip = code[i];
            NEED(skip);
            ok = skip >= 2 && code[i + skip - 1] == SRE_SUCCESS && check_code(c, i + 1, i + skip);
            i += skip;
            break;
        case SRE_ASSERT:
        case SRE_ASSERT_NOT:
            NEED(2);
            skip = code[i];
            NEED(skip);
            ok = skip >= 3 && code[i + 1] < INT32_MAX && code[i + skip - 1] == SRE_SUCCESS &&
                 check_code(c, i + 2, i + skip);
            i += skip;
            break;
        case SRE_GROUPREF:
        case SRE_GROUPREF_IGNORE:
        case SRE_GROUPREF_UNI_IGNORE:
        case SRE_GROUPREF_LOC_IGNORE:
            NEED(1);
            ok = code[i++] < c->groups;
            break;
        case SRE_GROUPREF_EXISTS: {
            /* group, skip, then-part [JUMP, skip, else-part]: the first skip leads behind the JUMP and its argument */
            NEED(2);
            ok = code[i] < c->groups;
            skip = code[i + 1];
            NEED(skip);
            if (!ok || skip < 2)
                return false;
            size_t at_else = i + skip;
            if (skip >= 4 && code[at_else - 2] == SRE_JUMP && at_else - 1 + (size_t)code[at_else - 1] <= end &&
                code[at_else - 1] >= 1 && check_code(c, i + 2, at_else - 2)) {
                size_t behind = at_else - 1 + code[at_else - 1];
                ok = check_code(c, at_else, behind);
                i = behind;
            } else {
                ok = check_code(c, i + 2, at_else);
                i = at_else;
            }
            break;
        }
        default:
            return false;
        }
    }
    c->depth--;
    return ok && i == end;
#undef NEED
}

bool sre_validate(const uint32_t *code, size_t n, uint32_t groups) {
    Check c = {code, groups, 0};
    return n > 0 && n < UINT32_MAX && code[n - 1] == SRE_SUCCESS && check_code(&c, 0, n);
}
