"""From records to figures to a report: terminal tables, CSV, and one self-contained HTML page with charts."""

import csv
import html as htmllib
import math
import os
import statistics

import figures

GROUPS = {
    "single": "one thread, private data",
    "shared": "shared reads",
    "contended": "contended writes",
    "io": "I/O beside computing",
}
BASE = "gil"
COUNTERS = [
    ("count_owner", "counts by owner"),
    ("count_shared", "counts shared"),
    ("count_uncounted", "counts skipped"),
    ("count_queued", "counts queued"),
    ("lock_acquired", "locks"),
    ("lock_waits", "lock waits"),
    ("lock_parks", "lock parks"),
    ("gil_switches", "GIL switches"),
    ("collections", "collections"),
]


def compiler_of(build):
    """The compiler and build type that CMake used."""
    found = {}
    try:
        with open(os.path.join(build, "CMakeCache.txt")) as f:
            for line in f:
                for key in ("CMAKE_C_COMPILER:", "CMAKE_BUILD_TYPE:"):
                    if line.startswith(key):
                        found[key[:-1]] = line.split("=", 1)[1].strip()
    except OSError:
        return None
    return " ".join(found.values())


def _walls(rounds):
    """Per round the wall times of its samples."""
    return [r["wall"] for r in rounds]


def _compared(rounds):
    """Per round the times by which interpreters are compared: of samples that shared a core, where there are any."""
    return [r.get("sliced") or r["wall"] for r in rounds]


def _processes_walls(rounds):
    """The same of processes that ran together: the time of the slowest."""
    return [list(map(max, zip(*(p["wall"] for p in procs)))) for procs in rounds]


def _median(rounds):
    return statistics.median(x for samples in rounds for x in samples)


def _cost_seconds(record, costs):
    """Seconds that counting and locking took by count times measured nanoseconds, plus pauses."""
    stats = record.get("stats") or {}
    ns = sum(stats.get(k, 0) * v for k, v in costs.items())
    return (ns + stats.get("pause_total_ns", 0)) / 1e9 / max(1, len(record["wall"] + record.get("sliced", [])))


def summarise(data):
    """Rows for every workload and interpreter, and the overall figures."""
    index = {(r["workload"], r["interpreter"], r["kind"], r["threads"]): r["rounds"] for r in data["records"]}
    names = [b["name"] for b in data["backends"]]
    columns = names + (["python3.11"] if data["reference"] else [])
    counts = data["options"]["threads"]
    base = BASE if BASE in names else (names[0] if names else None)
    rows = []
    for w in data["workloads"]:
        one = {c: index.get((w["name"], c, "threads", 1)) for c in columns}
        times = {c: _median(_compared(one[c])) for c in names if one[c]}
        costs = {c: _cost_seconds(one[c][-1], data["costs"].get(c, {})) for c in times}
        bound = figures.lower_bound(times, costs) if times else math.nan
        for c in columns:
            records = one[c]
            if not records:
                continue
            walls = _walls(records)
            median, low, high = figures.median_interval([statistics.fmean(w) for w in walls])
            cpu = _median([r["cpu"] for r in records])
            row = {
                "workload": w["name"], "group": w["group"], "interpreter": c, "wall": median, "wall_low": low, "wall_high": high,
                "cpu": cpu, "peak_mib": max(r["maxrss"] for r in records) / 1024, "rounds": len(records),
            }
            if base and one.get(base):
                row["ratios"] = figures.paired(_compared(records), _compared(one[base]))
                row["ratio"], row["ratio_low"], row["ratio_high"] = figures.mean_ratio([row["ratios"]])
            if one.get("python3.11"):
                row["speeds"] = figures.paired(_compared(one["python3.11"]), _compared(records))
                row["speed"], row["speed_low"], row["speed_high"] = figures.mean_ratio([row["speeds"]])
            if c in times:
                row["overhead"] = times[c] / bound - 1 if bound > 0 else math.nan
            stats = records[-1].get("stats")
            if stats:
                row["stats"] = stats
            row["scaling"] = {}
            for n in counts + [8]:
                threads = index.get((w["name"], c, "threads", n))
                if not threads:
                    continue
                tw = _walls(threads)
                entry = {"wall": _median(tw), "cpu": _median([r["cpu"] for r in threads])}
                turns = max(1, len(walls) // len(tw))  # of one thread alone, in a round
                speedups = [n * x for x in figures.paired(walls[::turns], tw)]
                entry["speedup"], entry["speedup_low"], entry["speedup_high"] = figures.mean_ratio([speedups])
                procs = index.get((w["name"], c, "processes", n))
                if procs:
                    entry["efficiencies"] = figures.paired(_processes_walls(procs), tw)
                    entry["efficiency"], entry["efficiency_low"], entry["efficiency_high"] = figures.mean_ratio([entry["efficiencies"]])
                ends = [t for r in threads for t in r["threads"]]
                entry["fairness"] = min(min(e) / max(e) for e in ends)
                if threads[-1].get("stats"):
                    entry["stats"] = threads[-1]["stats"]
                row["scaling"][str(n)] = entry
            rows.append(row)
    return {"rows": rows, "overall": _overall(rows, columns, counts), "columns": columns, "base": base}


def _overall(rows, columns, counts):
    out = {}
    for c in columns:
        mine = [r for r in rows if r["interpreter"] == c]
        single = [r for r in mine if r["group"] == "single"]
        o = {}
        if single and "ratios" in single[0]:
            o["ratio"] = figures.mean_ratio([r["ratios"] for r in single])
        if single and "speeds" in single[0]:
            o["speed"] = figures.mean_ratio([r["speeds"] for r in single])
        if single:
            overheads = [r["overhead"] for r in single if "overhead" in r]
            if overheads:
                o["overhead"] = figures.geometric_mean([1 + x for x in overheads]) - 1
        for n in counts:
            effs = [r["scaling"][str(n)]["efficiency"] for r in mine if "efficiency" in r["scaling"].get(str(n), {})]
            if effs:
                o.setdefault("efficiency", {})[str(n)] = {"median": statistics.median(effs), "worst": min(effs)}
        if mine:
            o["peak_mib"] = figures.geometric_mean([r["peak_mib"] for r in mine])
        out[c] = o
    return out


def _fmt(x, digits=2):
    return "-" if x is None or isinstance(x, float) and math.isnan(x) else "%.*f" % (digits, x)


def _spread(triple, digits=2):
    if not triple or math.isnan(triple[0]):
        return "-"
    value, low, high = triple
    if not math.isfinite(high) or high > 1e6:
        return _fmt(value, digits)
    return "%.*f [%.*f, %.*f]" % (digits, value, digits, low, digits, high)


def _table(head, rows):
    widths = [max(len(str(r[i])) for r in [head] + rows) for i in range(len(head))]
    lines = []
    for k, r in enumerate([head] + rows):
        lines.append("  ".join(str(v).ljust(widths[i]) if i == 0 else str(v).rjust(widths[i]) for i, v in enumerate(r)))
        if k == 0:
            lines.append("-" * len(lines[0]))
    return "\n".join(lines) + "\n"


def tables(data, summary):
    """(title, note, head, rows) of every table, cells as text: shared by the terminal and the page."""
    columns, rows = summary["columns"], summary["rows"]
    cell = {(r["workload"], r["interpreter"]): r for r in rows}
    out = []
    body = []
    for c in columns:
        o = summary["overall"][c]
        line = [c, _spread(o.get("speed")), _spread(o.get("ratio"), 3),
                "-" if "overhead" not in o else "%.1f %%" % (100 * o["overhead"])]
        for n in data["options"]["threads"]:
            e = o.get("efficiency", {}).get(str(n))
            line.append("-" if not e else "%.2f / %.2f" % (e["median"], e["worst"]))
        line.append(_fmt(o.get("peak_mib"), 1))
        body.append(line)
    head = ["backend", "speed vs python3.11", "time vs %s" % summary["base"], "over lower bound"]
    head += ["efficiency x%d median / worst" % n for n in data["options"]["threads"]] + ["peak MiB"]
    out.append(("Overall", "Geometric means over the one-thread workloads with 95 % intervals, of processor time in slices on one core; efficiency "
                "over private and shared-read workloads; peak memory over all.", head, body))
    for group, title in GROUPS.items():
        names = [w["name"] for w in data["workloads"] if w["group"] == group]
        if not names:
            continue
        body = []
        for n in names:
            line = [n]
            for c in columns:
                r = cell.get((n, c))
                line.append("-" if not r else "%.1f ±%.0f %%" % (
                    1000 * r["wall"], 50 * (r["wall_high"] - r["wall_low"]) / r["wall"] if r["rounds"] > 1 else 0))
            body.append(line)
        out.append(("%s: milliseconds, one thread" % title, "Median of the rounds and half-width of the 95 % interval.",
                    ["workload"] + columns, body))
        own = [c for c in columns if c != "python3.11"]
        for t in data["options"]["threads"] + ([8] if group == "contended" and 8 not in data["options"]["threads"] else []):
            body = []
            for n in names:
                line = [n]
                for c in own:
                    e = cell.get((n, c), {}).get("scaling", {}).get(str(t))
                    if not e:
                        line.append("-")
                    elif "efficiency" in e:
                        line.append("%.2f (x%.2f)" % (e["efficiency"], e["speedup"]))
                    else:
                        line.append("x%.2f (%.2f)" % (e["speedup"], e["fairness"]))
                body.append(line)
            if any(v != "-" for line in body for v in line[1:]):
                note = ("Efficiency: throughput of %d threads over that of %d processes; in brackets the raw speedup over one thread." % (t, t)
                        if group in ("single", "shared") else
                        "Throughput of %d threads together over one thread alone; in brackets the first thread's finish over the last's." % t)
                out.append(("%s: %d threads" % (title, t), note, ["workload"] + own, body))
    body = []
    for n in [w["name"] for w in data["workloads"]]:
        body.append([n] + [_fmt(cell[n, c]["peak_mib"], 1) if (n, c) in cell else "-" for c in columns])
    out.append(("Peak memory, MiB, one thread", "", ["workload"] + columns, body))
    body = []
    for w in data["workloads"]:
        for c in columns:
            r = cell.get((w["name"], c), {})
            entry = r.get("scaling", {}).get(str(data["options"]["threads"][0])) if data["options"]["threads"] else None
            s = (entry or {}).get("stats") or r.get("stats")
            if s:
                pauses = "/".join("%.2f" % (s.get("pause_%s_ns" % q, 0) / 1e6) for q in ("p50", "p99", "max"))
                body.append([w["name"] + " " + c] + [_si(s.get(k)) for k, _ in COUNTERS] + [pauses])
    if body:
        out.append(("Events, several threads", "Counted in builds with -DPOLYGIL_STATS=ON, whose times are not used. "
                    "Pauses in milliseconds: p50/p99/max.", ["workload"] + [t for _, t in COUNTERS] + ["pauses"], body))
    return out


def _si(n):
    if n is None:
        return "-"
    for unit in ("", "k", "M", "G"):
        if abs(n) < 1000:
            return "%.3g%s" % (n, unit)
        n /= 1000
    return "%.3gT" % n


def _preamble(data):
    hw = data["hardware"]
    lines = ["%s, %d cores, %s GiB, Linux %s, %s" % (hw["cpu"], hw["cores"], hw["memory_gib"], hw["kernel"], hw["date"])]
    lines.append("built with %(compiler)s; revision %(revision)s; " % data + "%(rounds)d rounds, sizes times %(scale).2f, " % data["options"] + "%.0f s" % data["seconds"])
    if data["reference"]:
        ref = data["reference"]
        lines.append("reference: %s (package %s), %s" % (ref["path"], ref["package"], ref["version"].split("\n")[0]))
        if ref["package"] is None:
            lines.append("WARNING: the reference interpreter does not belong to a Debian package")
    for f in data["failures"]:
        lines.append("FAILED: %(workload)s on %(interpreter)s, %(kind)s %(threads)d: %(message)s" % f)
    return lines


def text(data, summary):
    parts = ["\n".join(_preamble(data))]
    for title, note, head, body in tables(data, summary):
        parts.append(title + ("\n" + note if note else "") + "\n\n" + _table(head, body))
    return "\n\n".join(parts)


def write_csv(f, summary):
    out = csv.writer(f)
    out.writerow(["workload", "group", "interpreter", "threads", "wall_s", "wall_low", "wall_high", "cpu_s", "ratio_to_gil", "ratio_low",
                  "ratio_high", "speed_vs_python", "overhead", "peak_mib", "speedup", "efficiency", "efficiency_low", "efficiency_high"])
    for r in summary["rows"]:
        out.writerow([r["workload"], r["group"], r["interpreter"], 1, r["wall"], r["wall_low"], r["wall_high"], r["cpu"], r.get("ratio"),
                      r.get("ratio_low"), r.get("ratio_high"), r.get("speed"), r.get("overhead"), r["peak_mib"], 1, "", "", ""])
        for n, e in r["scaling"].items():
            out.writerow([r["workload"], r["group"], r["interpreter"], n, e["wall"], "", "", e["cpu"], "", "", "", "", "", "", e["speedup"],
                          e.get("efficiency"), e.get("efficiency_low"), e.get("efficiency_high")])


COLOURS = ["#4464ad", "#d1495b", "#edae49", "#2e8b57", "#7d5ba6", "#777777", "#00798c", "#a44a3f", "#333333"]


def _bars(title, labels, series, unit, reference=None):
    """An SVG of grouped horizontal bars. series: [(name, [(value, low, high) or None])]."""
    height, gap, left, width = 11, 10, 160, 620
    values = [v[0] for _, vs in series for v in vs if v and math.isfinite(v[0])]
    if not values:
        return ""
    top = max(values + ([reference] if reference else [])) * 1.08
    group = height * len(series) + gap
    total = group * len(labels) + 40
    out = ['<figure><figcaption>%s</figcaption><svg viewBox="0 0 %d %d" role="img" aria-label="%s">' % (
        htmllib.escape(title), left + width + 60, total, htmllib.escape(title))]
    for k in range(5):
        x = left + width * k / 4
        out.append('<line x1="%.1f" y1="0" x2="%.1f" y2="%d" class="grid"/><text x="%.1f" y="%d" class="tick">%.2g%s</text>' % (
            x, x, total - 25, x, total - 10, top * k / 4, unit))
    if reference:
        x = left + width * reference / top
        out.append('<line x1="%.1f" y1="0" x2="%.1f" y2="%d" class="ref"/>' % (x, x, total - 25))
    for i, label in enumerate(labels):
        y0 = i * group + gap / 2
        out.append('<text x="%d" y="%.1f" class="label">%s</text>' % (left - 8, y0 + group / 2 - 2, htmllib.escape(label)))
        for j, (name, vs) in enumerate(series):
            v = vs[i]
            if not v or not math.isfinite(v[0]):
                continue
            y = y0 + j * height
            w = width * v[0] / top
            tip = "%s, %s: %.3f%s" % (label, name, v[0], unit)
            out.append('<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="%s"><title>%s</title></rect>' % (
                left, y, w, height - 2, COLOURS[j % len(COLOURS)], htmllib.escape(tip)))
            if len(v) == 3 and math.isfinite(v[2]) and v[2] < 1e6 and v[2] > v[1]:
                lo, hi = left + width * max(0, v[1]) / top, left + min(width, width * v[2] / top)
                out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="err"/>' % (lo, y + height / 2 - 1, hi, y + height / 2 - 1))
    out.append("</svg><p class=legend>%s</p></figure>" % " ".join(
        '<span style="--c:%s">%s</span>' % (COLOURS[j % len(COLOURS)], htmllib.escape(n)) for j, (n, _) in enumerate(series)))
    return "".join(out)


def charts(data, summary):
    columns, rows = summary["columns"], summary["rows"]
    cell = {(r["workload"], r["interpreter"]): r for r in rows}
    own = [c for c in columns if c != "python3.11"]
    out = []
    single = [w["name"] for w in data["workloads"] if w["group"] == "single"]

    def triple(r, key):
        return (r[key], r[key + "_low"], r[key + "_high"]) if r and key in r else None

    if data["reference"] and single:
        out.append(_bars("Speed against python3.11, one thread (longer is faster; the line is 1)", single,
                         [(c, [triple(cell.get((n, c)), "speed") for n in single]) for c in own], "x", 1))
    if single:
        out.append(_bars("Time against %s, one thread (shorter is faster)" % summary["base"], single,
                         [(c, [triple(cell.get((n, c)), "ratio") for n in single]) for c in own], "x", 1))
    for t in data["options"]["threads"]:
        names = [w["name"] for w in data["workloads"] if w["group"] in ("single", "shared")]
        series = [(c, [triple(cell.get((n, c), {}).get("scaling", {}).get(str(t)), "efficiency") for n in names]) for c in own]
        out.append(_bars("Scaling efficiency, %d threads over %d processes (1 is perfect)" % (t, t), names, series, "", 1))
    names = [w["name"] for w in data["workloads"] if w["group"] == "contended"]
    for t in sorted(set(data["options"]["threads"] + [8])):
        series = [(c, [triple(cell.get((n, c), {}).get("scaling", {}).get(str(t)), "speedup") for n in names]) for c in own]
        if names:
            out.append(_bars("Contended writes, %d threads: throughput over one thread" % t, names, series, "x", 1))
    names = [w["name"] for w in data["workloads"]]
    out.append(_bars("Peak memory, one thread", names,
                     [(c, [(cell[n, c]["peak_mib"],) if (n, c) in cell else None for n in names]) for c in columns], " MiB"))
    return "".join(out)


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Polygil: comparison of concurrency backends</title><style>
body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;font-size:13px;margin:.6em 0 1.6em}th,td{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #888}
figure{margin:1.5em 0}figcaption{font-weight:600;margin-bottom:.4em}svg{width:100%%;height:auto}
.grid{stroke:#e4e4e4}.ref{stroke:#b00;stroke-dasharray:4 3}.err{stroke:#111;stroke-width:1.2}
.tick{font-size:10px;text-anchor:middle;fill:#666}.label{font-size:11px;text-anchor:end;fill:#222}
.legend span{margin-right:1.2em;font-size:13px}.legend span:before{content:"";display:inline-block;width:.8em;height:.8em;background:var(--c);margin-right:.35em}
.scroll{overflow-x:auto}pre{white-space:pre-wrap;background:#f6f6f6;padding:.7em}
</style></head><body><h1>Comparison of concurrency backends</h1><pre>%s</pre>%s%s</body></html>
"""


def html(data, summary):
    parts = []
    for title, note, head, body in tables(data, summary):
        parts.append("<h2>%s</h2><p>%s</p><div class=scroll><table><thead><tr>%s</tr></thead><tbody>%s</tbody></table></div>" % (
            htmllib.escape(title), htmllib.escape(note), "".join("<th>%s</th>" % htmllib.escape(h) for h in head),
            "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % htmllib.escape(str(v)) for v in row) for row in body)))
    return PAGE % (htmllib.escape("\n".join(_preamble(data))), charts(data, summary), "".join(parts))
