/* Forced rare events, for tests (-X torture=...): what happens once in a million runs happens at every turn.
 *
 *   collect:N   a collection inside each n-th allocation
 *   fail:N      the n-th allocation fails, and each n-th after it
 *   switch      at each safepoint another thread has its turn
 *   park        who finds a lock taken parks at once
 *
 * Several are separated by commas. They begin where __main__ begins: start-up is not under test. */
#ifndef POLYGIL_TORTURE_H
#define POLYGIL_TORTURE_H

#include "base/base.h"

/* Takes in the option's text; false: it is none. Before threads exist. */
bool torture_option(const char *text);
/* Switches on what the options said; the caller is attached and alone. */
void torture_begin(void);
/* No more failures and collections: for the end of the process. */
void torture_end(void);

/* Set by torture_begin: every safepoint takes the slow path and yields. */
extern bool torture_switch;

#endif
