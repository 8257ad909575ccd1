/* int: immediate up to 63 bits, GMP limbs beyond. */
#ifndef POLYGIL_INT_H
#define POLYGIL_INT_H

#include "object/object.h"

/* A large int, or an instance of a subclass of int (any size). Sign and magnitude; normalised. */
typedef struct BigInt {
    Object hdr;
    int64_t size; /* limbs, negative for negative numbers, 0 for zero */
    uint64_t limbs[];
} BigInt;

Value int_from_i64_slow(int64_t i);
Value int_from_u64(uint64_t u);
static ALWAYS_INLINE Value int_from_i64(int64_t i) {
    return int_fits_imm(i) ? v_from_int(i) : int_from_i64_slow(i);
}
Value int_from_double(double d);                       /* truncates; OverflowError, ValueError for inf, nan */
Value int_from_str(const char *s, size_t n, int base); /* ASCII, underscores, sign; ValueError as CPython's */
Value int_from_str_obj(Value s, int base);
Value int_to_str(Value v, int base, bool prefix); /* base 2, 8, 10, 16 */
enum { INT_DIGITS_MAX = 20 };
/* Writes i in decimal so that it ends in front of end; where it begins. */
char *int_digits(char *end, int64_t i);
int int_to_i64(Value v, int64_t *out);       /* v is an int: 0, or 1 too large, -1 too small (nothing raised) */
int int_to_u64_mask(Value v, uint64_t *out); /* low 64 bits, two's complement */
double int_to_double(Value v, bool *overflow);
int int_sign(Value v);
size_t int_bit_length(Value v);
bool int_equal(Value a, Value b);
int int_cmp(Value a, Value b);
int64_t int_hash(Value v);
/* Arithmetic on ints (immediate or not, subclasses too); results are plain ints. */
Value int_add(Value a, Value b);
Value int_sub(Value a, Value b);
Value int_mul(Value a, Value b);
Value int_floordiv(Value a, Value b);
Value int_mod(Value a, Value b);
int int_divmod(Value a, Value b, Value *q, Value *r);
Value int_truediv(Value a, Value b);
Value int_pow(Value a, Value b, Value mod);
Value int_lshift(Value a, Value b);
Value int_rshift(Value a, Value b);
Value int_and(Value a, Value b);
Value int_or(Value a, Value b);
Value int_xor(Value a, Value b);
Value int_neg(Value a);
Value int_invert(Value a);
Value int_from_bytes(const unsigned char *p, size_t n, bool little, bool is_signed);
int int_to_bytes(Value v, unsigned char *p, size_t n, bool little, bool is_signed); /* OverflowError */

#endif
