/* Text to int and back: what int.h does not declare. */
#ifndef POLYGIL_INT_TEXT_H
#define POLYGIL_INT_TEXT_H

#include "object/int.h"

/* sys.set_int_max_str_digits: 0 means no limit. */
int int_get_max_str_digits(void);
void int_set_max_str_digits(int n);
/* The text of s with every script's decimal digits and spaces as ASCII and '?' for other non-ASCII. malloc'd,
 * NUL-terminated. */
char *text_to_ascii_digits(Value s, size_t *n);

#endif
