"""Makes reference.json: what SciPy and statsmodels say about made-up numbers.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python generate.py > reference.json

The numbers are made by the small generator below, which the tests have too: long lists are named by their seed, so the file
stays small.
"""
import json
import math
import warnings

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

MASK = (1 << 64) - 1


class Numbers:
    """SplitMix64; `unit` gives multiples of 2**-53 from 0 to 1."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        return (self.next() >> 11) / float(1 << 53)


def pairs(seed, n, slope, levels):
    """`n` pairs that rise together by `slope`; with `levels` the first is one of so many, which makes ties."""
    numbers = Numbers(seed)
    x, y = [], []
    for _ in range(n):
        a = numbers.unit()
        if levels:
            a = math.floor(a * levels) / levels
        x.append(a)
        y.append(slope * a + numbers.unit())
    return np.array(x), np.array(y)


def fisher_z(r, n, width, confidence=0.95):
    if n <= 3:
        return [-1.0, 1.0]
    reach = stats.norm.ppf(0.5 + confidence / 2) * math.sqrt(width / (n - 3))
    return [float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))]


def correlations():
    out = []
    for seed, n, slope, levels in [
        (1, 3, 0.5, 0), (2, 4, 0.5, 0), (3, 12, -0.7, 0), (4, 30, 0.1, 5), (5, 100, 2.0, 0), (6, 500, 0.05, 10),
        (7, 2000, -0.3, 3), (8, 20000, 0.02, 100), (9, 200000, 0.004, 0), (10, 200000, 0.01, 20),
    ]:
        x, y = pairs(seed, n, slope, levels)
        p, s = stats.pearsonr(x, y), stats.spearmanr(x, y)
        low, high = p.confidence_interval(0.95)
        out.append({
            "seed": seed, "n": n, "slope": slope, "levels": levels,
            "pearson": [p.statistic, p.pvalue, low, high],
            "spearman": [s.statistic, s.pvalue, *fisher_z(s.statistic, n, 1 + s.statistic**2 / 2)],
        })
    return out


def differences():
    out = []
    for (r1, n1, r2, n2) in [(0.1, 50, 0.6, 80), (0.5, 200, 0.45, 30), (-0.2, 12, 0.9, 9), (0.3, 1000, 0.3, 4)]:
        z = (math.atanh(r2) - math.atanh(r1)) / math.sqrt(1 / (n1 - 3) + 1 / (n2 - 3))
        (l1, u1), (l2, u2) = fisher_z(r1, n1, 1), fisher_z(r2, n2, 1)
        d = r2 - r1
        low = d - math.sqrt((r2 - l2) ** 2 + (u1 - r1) ** 2)
        high = d + math.sqrt((u2 - r2) ** 2 + (r1 - l1) ** 2)
        out.append({"before": [r1, n1], "after": [r2, n2], "expected": [d, low, high, 2 * stats.norm.sf(abs(z))]})
    return out


def tables():
    numbers, out = Numbers(20), []
    fixed = [[3, 1, 1, 3], [10, 0, 0, 10], [0, 5, 5, 0], [1, 9, 11, 3], [40, 60, 80, 20], [900, 100, 850, 150],
             [50000, 50000, 50400, 49600], [5, 5, 5, 5], [1, 199999, 0, 200000]]
    for size in [5, 20, 100, 1000]:
        fixed += [[int(numbers.unit() * size) + 1 for _ in range(4)] for _ in range(6)]
    for a, b, c, d in fixed:
        exact = stats.fisher_exact([[a, b], [c, d]]).pvalue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z, p = proportions_ztest([a, c], [a + b, c + d])
            low, high = confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", compare="diff")
        known = math.isfinite(z)
        out.append({"table": [a, b, c, d], "fisher": exact,
                    "two": [a / (a + b) - c / (c + d), low, high, z, p] if known else None})
    return out


def shares():
    out = []
    for count, n, confidence in [(0, 1, 0.95), (1, 1, 0.95), (40, 100, 0.95), (3, 7, 0.9), (199999, 200000, 0.99), (0, 50, 0.95)]:
        out.append([count, n, confidence, *proportion_confint(count, n, 1 - confidence, method="wilson")])
    return out


def corrections():
    numbers, out = Numbers(30), []
    for size in [1, 2, 5, 20, 100]:
        p = [numbers.unit() ** 3 for _ in range(size)]
        p[-1] = p[0]
        out.append({"p": p, "bh": list(multipletests(p, method="fdr_bh")[1]), "holm": list(multipletests(p, method="holm")[1])})
    return out


def quantiles():
    numbers, out = Numbers(40), []
    for size in [1, 2, 5, 10, 101]:
        values = sorted(numbers.unit() * 1000 - 500 for _ in range(size))
        q = [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 1.0]
        out.append({"values": values, "q": q, "expected": list(np.quantile(values, q, method="linear"))})
    return out


def rank_sums():
    out = []
    for seed, n, m, shift, levels in [(50, 5, 7, 0.2, 0), (51, 30, 270, -0.2, 0), (52, 40, 40, 0.0, 4), (53, 1000, 9000, -0.01, 50), (54, 1, 1, 3, 0)]:
        x, y = pairs(seed, n + m, 0.0, levels)
        first, second = x[:n] + shift, x[n:]
        two = stats.mannwhitneyu(first, second, method="asymptotic")
        below = stats.mannwhitneyu(first, second, method="asymptotic", alternative="less")
        out.append({"seed": seed, "n": n, "m": m, "shift": shift, "levels": levels,
                    "expected": [two.statistic, two.statistic / (n * m), two.pvalue, below.pvalue]})
    return out


if __name__ == "__main__":
    print(json.dumps({
        "correlations": correlations(), "differences": differences(), "tables": tables(), "shares": shares(),
        "corrections": corrections(), "quantiles": quantiles(), "rank_sums": rank_sums(),
    }, indent=1))
