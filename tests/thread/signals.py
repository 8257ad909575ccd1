# Signals run in the main thread, whatever it does: computing, sleeping, waiting for a lock, a thread, a queue.
import os
import queue
import signal
import sys
import threading
import time


class Stop(Exception):
    pass


hits = []


def raise_stop(signum, frame):
    hits.append(threading.current_thread() is threading.main_thread())
    raise Stop


def note(signum, frame):
    hits.append(threading.current_thread() is threading.main_thread())


def compute():
    n = 0
    while True:
        n += 1


# What a handler raises while the callback of a weak reference runs is lost, as documented: the sender tries again. The
# threads that end leave such callbacks to the main thread.
sys.unraisablehook = lambda args: None
sender = []


def later(seconds, signum=signal.SIGUSR1):
    # The clock starts when the main thread is out of start(). On a busy machine the signal may come as soon as that.
    go = threading.Event()
    seen = threading.Event()

    def send():
        go.wait()
        time.sleep(seconds)
        os.kill(os.getpid(), signum)
        while not seen.wait(1):
            os.kill(os.getpid(), signum)

    t = threading.Thread(target=send)
    t.start()
    sender[:] = [t, seen]
    go.set()


def sent():
    sender[1].set()
    sender[0].join()


signal.signal(signal.SIGUSR1, raise_stop)
held = threading.Lock()
held.acquire()
rheld = threading.RLock()


def hold_rlock():
    with rheld:
        quit_event.wait()


quit_event = threading.Event()
holder = threading.Thread(target=hold_rlock)
holder.start()
while rheld.acquire(False):
    rheld.release()
    time.sleep(0.001)

waits = {
    "computing": compute,
    "sleep": lambda: time.sleep(30),
    "lock": held.acquire,
    "lock with timeout": lambda: held.acquire(timeout=30),
    "rlock": rheld.acquire,
    "join": holder.join,
    "event": lambda: threading.Event().wait(30),
    "queue": lambda: queue.Queue().get(timeout=30),
    "read": lambda: os.read(os.pipe()[0], 1),
    "pause": signal.pause,
}
for name, wait in waits.items():
    start = time.monotonic()
    try:
        later(0.02)
        wait()
        print(name, "returned")
    except Stop:
        print(name, "stopped", time.monotonic() - start < 5)
    sent()
print("in main", all(hits))

# A handler that returns: the waiting goes on (PEP 475).
signal.signal(signal.SIGUSR1, note)
later(0.01)
start = time.monotonic()
time.sleep(0.05)
print("sleep goes on", time.monotonic() - start >= 0.05)
sent()
later(0.01)
timer = threading.Timer(0.05, held.release)
timer.start()
print("acquire goes on", held.acquire())
sent()
timer.join()  # SIGUSR2 below is for threads that block it

try:
    later(0.01, signal.SIGINT)
    compute()
except KeyboardInterrupt:
    print("KeyboardInterrupt")
sent()
try:
    later(0.01, signal.SIGINT)
    held.acquire()
except KeyboardInterrupt:
    print("KeyboardInterrupt in acquire")
sent()

# Many signals while threads compute.
hits.clear()
stop = False


def busy():
    n = 0
    while not stop:
        n += 1


threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads:
    t.start()
for i in range(30):
    before = len(hits)
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(hits) == before:
        pass
stop = True
for t in threads:
    t.join()
print("many", len(hits), all(hits))


def not_main():
    try:
        signal.signal(signal.SIGUSR1, note)
    except ValueError as e:
        print(e)


t = threading.Thread(target=not_main)
t.start()
t.join()
import _thread

try:
    _thread.interrupt_main()
    compute()
except KeyboardInterrupt:
    print("interrupt_main")

quit_event.set()
# join() does not wait for it: the one that a signal interrupted above has marked the thread as stopped.
while _thread._count():
    time.sleep(0.001)

# Timers and waiting for signals.
signal.signal(signal.SIGALRM, note)
hits.clear()
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not hits:
    time.sleep(0.001)
print("itimer", signal.getitimer(signal.ITIMER_REAL))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
os.kill(os.getpid(), signal.SIGUSR2)
print(signal.sigpending() == {signal.SIGUSR2}, signal.sigwait({signal.SIGUSR2}) == signal.SIGUSR2)
print(signal.sigtimedwait({signal.SIGUSR2}, 0.01))
signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
print(signal.sigwaitinfo([signal.SIGUSR2]).si_signo == signal.SIGUSR2)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
print(signal.getsignal(signal.SIGUSR2), signal.getsignal(signal.SIGALRM) is note, signal.strsignal(signal.SIGINT))
r, w = os.pipe()
os.set_blocking(w, False)
old = signal.set_wakeup_fd(w)
signal.raise_signal(signal.SIGALRM)
print("wakeup fd", old, os.read(r, 10) == bytes([signal.SIGALRM]), signal.set_wakeup_fd(-1) == w)
for bad in ((0, note), (1000, note), (signal.SIGUSR1, "x")):
    try:
        signal.signal(*bad)
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
try:
    signal.signal(signal.SIGKILL, note)
except OSError as e:
    print(e)
