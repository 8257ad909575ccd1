/* "Did you mean": the name nearest to a misspelt one. */
#ifndef POLYGIL_SUGGEST_H
#define POLYGIL_SUGGEST_H

#include "backend/ref.h"

/* For a NameError or AttributeError: owned str, or ABSENT (nothing pending). */
Value suggest_for(Value exc);

#endif
