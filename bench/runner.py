"""Runs the samples of the comparison in processes of one interpreter each, which wait for their turn between samples."""

import json
import os
import selectors
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVE = os.path.join(HERE, "drive.py")
TIMEOUT = 120  # seconds for one sample


class Failed(Exception):
    """A sample that ended badly; the message says how."""


class Cell:
    """One process with `threads` threads, or `count` processes of one thread each, that take the same samples together. They start and
    warm up one after the other; between samples they sleep. core: where a process alone is to run; None leaves that to it."""

    def __init__(self, binary, workload, threads, samples, scale, count=0, core=None):
        argv = [binary, "-S", "-B", DRIVE, workload, str(threads), str(samples), "--scale", str(scale), "--wait"]
        own_core = 0 < count <= len(os.sched_getaffinity(0))
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
        self.alone = count == 0
        self.left = samples
        self.last = []  # what the processes printed after the last sample
        self.processes = []
        for i in range(max(1, count)):
            number = i if own_core else core
            self.processes.append(subprocess.Popen(
                argv + (["--number", str(number)] if number is not None else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, env=env))
            self._expect_ready(self.processes[-1])

    def _line(self, process):
        with selectors.DefaultSelector() as s:
            s.register(process.stdout, selectors.EVENT_READ)
            if not s.select(TIMEOUT):
                self.abandon()
                raise Failed("no result after %d seconds" % TIMEOUT)
        return process.stdout.readline()

    def _expect_end(self, process, well):
        """It has printed its last line, or none where one was due: unless all went well, says how it ended."""
        try:
            _, errors = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise Failed("no end after %d seconds" % TIMEOUT) from None
        if not well or process.returncode != 0:
            self.abandon()
            raise Failed("exit status %d: %s" % (process.returncode, (errors.strip().splitlines() or ["no message"])[-1]))

    def _expect_ready(self, process):
        if self._line(process).strip() != "ready":
            self._expect_end(process, False)

    def sample(self):
        """The next sample, in all processes at the same time; returns when it is over."""
        self.begin()
        self.wait()

    def begin(self):
        for p in self.processes:
            try:
                p.stdin.write("go\n")
                p.stdin.flush()
            except BrokenPipeError:
                pass  # it has ended: the next line says how
        self.left -= 1

    def wait(self):
        for p in self.processes:
            if self.left:
                self._expect_ready(p)
            else:
                self.last.append(self._line(p))

    def finish(self):
        """After the last sample: the driver's record, of several processes the list of theirs."""
        for p, line in zip(self.processes, self.last):
            self._expect_end(p, bool(line))
        self.abandon()
        records = [json.loads(line) for line in self.last]
        if any(r.get("lost") for r in records):
            raise Failed("updates were lost")
        return records[0] if self.alone else records

    def abandon(self):
        """Ends the processes, which may have ended."""
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                try:
                    f.close()
                except BrokenPipeError:
                    pass


def hardware():
    model = "unknown"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": os.uname().release,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def reference_info(path):
    """Version, build flags and package of the reference interpreter."""
    script = "import sys,sysconfig,json;print(json.dumps([sys.version,sysconfig.get_config_var('CONFIG_ARGS'),sysconfig.get_config_var('CC')]))"
    version, flags, compiler = json.loads(subprocess.check_output([path, "-I", "-S", "-c", script], text=True))
    try:
        package = subprocess.check_output(["dpkg-query", "-S", path], text=True, stderr=subprocess.DEVNULL).split(":")[0]
    except (subprocess.CalledProcessError, FileNotFoundError):
        package = None
    return {"path": path, "version": version, "config_args": flags, "cc": compiler, "package": package}
