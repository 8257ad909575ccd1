"""Statistics of the comparison: paired ratios with confidence intervals, geometric means, the lower-bound overhead.

Intervals are Student's t over the logarithms of ratios per turn: a turn measures both sides on the same core within milliseconds of each
other (one thread alone) or within a second, so drift of the machine cancels.
"""

import math
import statistics

# Two-sided 95 % quantiles of Student's t by degrees of freedom.
T95 = [0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
       2.120, 2.110, 2.101, 2.093, 2.086]


def t95(n):
    """Quantile for n samples; infinite for one."""
    if n < 2:
        return math.inf
    return T95[n - 1] if n - 1 < len(T95) else 1.96 + 2.4 / (n - 1)


def interval(values):
    """Mean and half-width of its 95 % interval."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, 0.0
    return mean, t95(len(values)) * statistics.stdev(values) / math.sqrt(len(values))


def median_interval(values):
    """Median, and the 95 % interval of the mean around it (the rounds are few: order statistics would be the range)."""
    mean, half = interval(values)
    return statistics.median(values), mean - half, mean + half


def paired(numerators, denominators):
    """Per round the geometric mean of its ratios, sample by sample: both sides of a pair were measured within a second. Arguments: lists of
    samples by round."""
    return [geometric_mean([a / b for a, b in zip(*pair)]) for pair in zip(numerators, denominators)]


def geometric_mean(values):
    values = [v for v in values if v > 0]
    return math.exp(statistics.fmean(math.log(v) for v in values)) if values else math.nan


def mean_ratio(rows):
    """Geometric mean over workloads of ratios per turn, with its interval. rows: one list of ratios each. What scatters is each workload's own
    turns, taken at other times than the others', so variances of the workloads' means add up; degrees of freedom by Welch and Satterthwaite
    (B. L. Welch, "The generalization of Student's problem when several different population variances are involved", Biometrika 1947)."""
    if not rows or not all(rows):
        return (math.nan, math.nan, math.nan)
    logs = [[math.log(x) for x in r] for r in rows]
    mean = statistics.fmean(map(statistics.fmean, logs))
    parts = [(statistics.variance(r) / len(r), len(r) - 1) for r in logs if len(r) > 1]
    total = sum(v for v, _ in parts)
    if not total:
        return (math.exp(mean),) * 3
    freedom = total * total / sum(v * v / n for v, n in parts if v)
    half = t95(int(freedom) + 1) * math.sqrt(total) / len(rows)
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def lower_bound(times, costs):
    """The least, over all backends, of time minus the measured cost of counting, locking and collecting (source: Cai et al., "Distilling
    the Real Cost of Production Garbage Collectors", ISPASS 2022). times, costs: seconds by backend."""
    return min(times[b] - min(costs.get(b, 0.0), times[b] * 0.95) for b in times)
