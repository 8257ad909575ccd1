#include "objlock.h"

#include "bytelock.h"

void objlock_init(void) {}
