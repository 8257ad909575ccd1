/* The types int and bool as Python sees them. */
#ifndef POLYGIL_INT_TYPE_H
#define POLYGIL_INT_TYPE_H

#include "object/int.h"

/* int(bytes, base); the message of a ValueError shows original. */
Value int_from_bytes_text(Value bytes, int base, Value original);
/* Start-up. */
void int_init(void);

#endif
