#include "front/linetable.h"

void linetable_begin(LineWriter *w, int first_line) {
    *w = (LineWriter){.line = first_line};
}

static bool reserve(LineWriter *w, size_t n) {
    if (w->len + n <= w->cap)
        return true;
    size_t cap = w->cap ? w->cap * 2 : 256;
    uint8_t *d = realloc(w->data, cap);
    if (!d) {
        w->failed = true;
        return false;
    }
    w->data = d;
    w->cap = cap;
    return true;
}

static void put_varint(LineWriter *w, uint32_t v) {
    for (; v >= 64; v >>= 6)
        w->data[w->len++] = (uint8_t)(64 | (v & 63));
    w->data[w->len++] = (uint8_t)v;
}

static void put_svarint(LineWriter *w, int v) {
    put_varint(w, v < 0 ? ((uint32_t)-v << 1) | 1 : (uint32_t)v << 1);
}

static void add_entry(LineWriter *w, SourcePos p, uint32_t words) {
    if (!reserve(w, 32))
        return;
    uint8_t low = (uint8_t)(0x80 | (words - 1));
    if (p.line < 0) {
        w->data[w->len++] = (uint8_t)(low | 15 << 3);
        return;
    }
    int delta = p.line - w->line;
    w->line = p.line;
    if (p.col < 0 || p.end_col < 0) {
        w->data[w->len++] = (uint8_t)(low | 13 << 3);
        put_svarint(w, delta);
        return;
    }
    if (p.end_line == p.line) {
        int width = p.end_col - p.col;
        if (delta == 0 && p.col < 80 && width >= 0 && width < 16) {
            w->data[w->len++] = (uint8_t)(low | (p.col >> 3) << 3);
            w->data[w->len++] = (uint8_t)((p.col & 7) << 4 | width);
            return;
        }
        if (delta >= 0 && delta <= 2 && p.col < 128 && p.end_col < 128) {
            w->data[w->len++] = (uint8_t)(low | (10 + delta) << 3);
            w->data[w->len++] = (uint8_t)p.col;
            w->data[w->len++] = (uint8_t)p.end_col;
            return;
        }
    }
    w->data[w->len++] = (uint8_t)(low | 14 << 3);
    put_svarint(w, delta);
    put_varint(w, p.end_line >= p.line ? (uint32_t)(p.end_line - p.line) : 0);
    put_varint(w, (uint32_t)p.col + 1);
    put_varint(w, (uint32_t)p.end_col + 1);
}

void linetable_add(LineWriter *w, SourcePos pos, uint32_t words) {
    for (; words > 8; words -= 8)
        add_entry(w, pos, 8);
    if (words)
        add_entry(w, pos, words);
}

void linetable_read(LineReader *r, const void *data, size_t len, int first_line) {
    *r = (LineReader){.p = data, .end = (const uint8_t *)data + len, .line = first_line};
    r->pos = (SourcePos){-1, -1, -1, -1};
}

static uint32_t get_varint(LineReader *r) {
    uint32_t v = 0;
    for (unsigned shift = 0; r->p < r->end; shift += 6) {
        uint8_t b = *r->p++;
        v |= (uint32_t)(b & 63) << (shift & 31);
        if (!(b & 64))
            break;
    }
    return v;
}

static int get_svarint(LineReader *r) {
    uint32_t v = get_varint(r);
    return v & 1 ? -(int)(v >> 1) : (int)(v >> 1);
}

static int get_byte(LineReader *r) {
    return r->p < r->end ? *r->p++ : 0;
}

/* Tables may come from code.replace(): any bytes must be survived. */
bool linetable_next(LineReader *r) {
    if (r->p >= r->end)
        return false;
    uint8_t b = *r->p++;
    r->pc = r->pc_end;
    r->pc_end += (b & 7) + 1u;
    int form = b >> 3 & 15;
    switch (form) {
    case 15:
        r->pos = (SourcePos){-1, -1, -1, -1};
        return true;
    case 14:
        r->line += get_svarint(r);
        r->pos.line = r->line;
        r->pos.end_line = r->line + (int)get_varint(r);
        r->pos.col = (int)get_varint(r) - 1;
        r->pos.end_col = (int)get_varint(r) - 1;
        return true;
    case 13:
        r->line += get_svarint(r);
        r->pos = (SourcePos){r->line, r->line, -1, -1};
        return true;
    case 12:
    case 11:
    case 10: {
        r->line += form - 10;
        int col = get_byte(r), end = get_byte(r);
        r->pos = (SourcePos){r->line, r->line, col, end};
        return true;
    }
    default: {
        int c = get_byte(r), col = form * 8 + (c >> 4);
        r->pos = (SourcePos){r->line, r->line, col, col + (c & 15)};
        return true;
    }
    }
}

SourcePos linetable_find(const void *data, size_t len, int first_line, uint32_t pc) {
    LineReader r;
    linetable_read(&r, data, len, first_line);
    while (linetable_next(&r))
        if (pc < r.pc_end)
            return r.pos;
    return (SourcePos){-1, -1, -1, -1};
}
