/* Signals: the C handler notes the signal and wakes the main thread; what Python code installed runs in the main thread
 * at its next safepoint. */
#ifndef POLYGIL_SIGNAL_H
#define POLYGIL_SIGNAL_H

#include <signal.h>

#include "backend/ref.h"

/* At start-up, in the main thread. SIGPIPE and SIGXFSZ are ignored; SIGINT raises KeyboardInterrupt unless it is
 * ignored. */
void signal_init(bool install_handlers);
/* At exit: SIGINT ends the process again. */
void signal_fini(void);
/* In the main thread, by the slow poll: runs what is due. 0, or -1 with an exception. */
int signal_run_handlers(void);
/* As if signum had come: from any thread, and from a signal handler. */
void signal_trip(int signum);
/* The handler of signum as signal.getsignal gives it: 0 (SIG_DFL), 1 (SIG_IGN), a callable, or None (installed by
 * others). Owned. */
Value signal_get(int signum);
/* Stores it (retained); returns the old one, owned. */
Value signal_swap(int signum, Value handler);
/* Takes the C handler in (SIG_DFL, SIG_IGN, or our own: NULL). 0, or -1 with errno. */
int signal_install(int signum, bool ours, void (*other)(int));
/* Returns the old one. */
int signal_set_wakeup(int fd, bool warn_on_full);
/* The object that stands for default_int_handler, once module _signal exists. */
void signal_set_default_int(Value fn);
/* Lock waits of the main thread end early when POLL_SIGNAL is set in its poll word. */

#endif
