/* Source positions of instructions, packed. One entry covers 1 to 8 instruction words:
 *
 *   byte 0: 0x80 | form << 3 | words - 1, then by form
 *     0..9    same line; one byte: start column = form * 8 + (b >> 4), width = b & 15
 *     10..12  line advances by form - 10; bytes: start column, end column
 *     13      signed varint of the line's advance; no columns
 *     14      signed varint of the line's advance, varints: end line - line, start column + 1, end column + 1
 *     15      no position
 *
 * Varints carry 6 bits a byte, lowest first, bit 6 = more follow; signed ones keep the sign in bit 0. It is the
 * encoding that PEP 626 and PEP 657 describe for co_linetable, with a word of ours for their code unit, so that tools
 * can read it.
 */
#ifndef POLYGIL_LINETABLE_H
#define POLYGIL_LINETABLE_H

#include "base/base.h"

/* Columns are bytes of UTF-8 from 0; -1 where unknown. line -1: no position at all. */
typedef struct SourcePos {
    int line, end_line, col, end_col;
} SourcePos;

typedef struct LineWriter {
    uint8_t *data; /* malloc'd */
    size_t len, cap;
    int line;
    bool failed;
} LineWriter;
void linetable_begin(LineWriter *w, int first_line);
void linetable_add(LineWriter *w, SourcePos pos, uint32_t words);

typedef struct LineReader {
    const uint8_t *p, *end;
    uint32_t pc, pc_end; /* words covered by `pos` */
    SourcePos pos;
    int line; /* running line, positionless entries do not change it */
} LineReader;
void linetable_read(LineReader *r, const void *data, size_t len, int first_line);
/* Moves to the next entry; false at the end. */
bool linetable_next(LineReader *r);
/* Position of the word at pc; line -1 when it has none. */
SourcePos linetable_find(const void *data, size_t len, int first_line, uint32_t pc);

#endif
