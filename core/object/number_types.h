/* What float and complex share with each other and with start-up. */
#ifndef POLYGIL_NUMBER_TYPES_H
#define POLYGIL_NUMBER_TYPES_H

#include "object/object.h"

/* OverflowError(34, 'Numerical result out of range'). */
void errno_overflow(void);
/* -1, 0, 1; 2: d is NaN; 3: no memory (exception pending). i is an int. Exact. */
int float_compare_int(double d, Value i);
void float_init(void);
void complex_init(void);

#endif
