/* The functions of math that are exact or accurately rounded: sums, norms, integers. Signatures as natives. */
#ifndef POLYGIL_MATH_EXACT_H
#define POLYGIL_MATH_EXACT_H

#include "object/module.h"

Value math_fsum(Value self, Value *args, intptr_t nargs, Value kw);
Value math_prod(Value self, Value *args, intptr_t nargs, Value kw);
Value math_hypot(Value self, Value *args, intptr_t nargs, Value kw);
Value math_dist(Value self, Value *args, intptr_t nargs, Value kw);
Value math_gcd(Value self, Value *args, intptr_t nargs, Value kw);
Value math_lcm(Value self, Value *args, intptr_t nargs, Value kw);
Value math_isqrt(Value self, Value *args, intptr_t nargs, Value kw);
Value math_factorial(Value self, Value *args, intptr_t nargs, Value kw);
Value math_comb(Value self, Value *args, intptr_t nargs, Value kw);
Value math_perm(Value self, Value *args, intptr_t nargs, Value kw);

#endif
