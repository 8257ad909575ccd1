"""Runs the samples of the comparison: processes of one interpreter each, interleaved by the caller."""

import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVE = os.path.join(HERE, "drive.py")
TIMEOUT = 120


class Failed(Exception):
    """A sample that ended badly; the message says how."""


def command(binary, workload, threads, samples, scale):
    return [binary, "-S", "-B", DRIVE, workload, str(threads), str(samples), "--scale", str(scale)]


def _wait(proc):
    """What a finished process printed."""
    out = proc.stdout.read()
    err = proc.stderr.read()
    proc.wait()
    proc.stdout.close()
    proc.stderr.close()
    if proc.returncode != 0:
        raise Failed("exit status %d: %s" % (proc.returncode, (err.strip().splitlines() or ["no message"])[-1]))
    return out


def _start(argv, stdin=None):
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    return subprocess.Popen(
        ["timeout", "-k", "2", str(TIMEOUT)] + argv, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=env)


def threads_sample(binary, workload, threads, samples, scale):
    """One process with `threads` threads: the driver's record."""
    proc = _start(command(binary, workload, threads, samples, scale))
    out = _wait(proc)
    try:
        record = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise Failed("no result line") from None
    if record.get("lost"):
        raise Failed("updates were lost")
    return record


def processes_sample(binary, workload, count, samples, scale):
    """`count` processes of one thread each, started together: the list of their records."""
    argv = command(binary, workload, 1, samples, scale) + ["--wait"]
    own_core = count <= len(os.sched_getaffinity(0))
    procs = [_start(argv + (["--number", str(i)] if own_core else []), subprocess.PIPE) for i in range(count)]
    for p in procs:
        if p.stdout.readline().strip() != "ready":
            for q in procs:
                q.kill()
            raise Failed("did not get ready: " + p.stderr.read()[-200:])
    for p in procs:
        p.stdin.write("go\n")
        p.stdin.flush()
    records = []
    for p in procs:
        out = _wait(p)
        p.stdin.close()
        records.append(json.loads(out.strip().splitlines()[-1]))
    return records


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
