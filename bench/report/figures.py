"""What is measured, and what the samples come to: medians, ratios, verdicts. No input, no output.

A ratio is ours beside theirs in the same round; above 1 we are better, whether more of it is
better or less.
"""
import dataclasses
import math
from typing import NamedTuple, Optional

MARGIN = 0.02         # ratios nearer to 1 than that are level, whatever their spread
MARGIN_OF_FEW = 0.10  # with less than three rounds, which have no spread to speak of
ALL_OF_IT = 8         # of more rounds the spread is their middle half


class Metric(NamedTuple):
    """One figure of each sample. better: "more", "less", or None if nobody is compared by it.
    form: as of format(), None if the figure is a dict of counts, which are summed up."""

    key: str
    title: str
    form: Optional[str] = ",.0f"
    better: Optional[str] = None


@dataclasses.dataclass
class Measure:
    """One table: what each server had in each round."""

    key: str
    title: str
    metrics: list
    samples: dict = dataclasses.field(default_factory=dict)  # {server: [{metric: figure}]}
    absent: dict = dataclasses.field(default_factory=dict)   # {server: why it is not there}
    section: str = ""     # the row of bench/run that it belongs to
    shown: str = ""       # the metric by which the overview compares
    compared: bool = True

    def metric(self, key):
        return next(metric for metric in self.metrics if metric.key == key)

    def have(self, key):
        return any(key in sample for samples in self.samples.values() for sample in samples)


def as_data(measure):
    return {**dataclasses.asdict(measure), "metrics": [list(one) for one in measure.metrics]}


def from_data(data):
    return Measure(**{**data, "metrics": [Metric(*one) for one in data["metrics"]]})


def ratio(ours, theirs, better):
    """How many times better ours is."""
    good, bad = (ours, theirs) if better == "more" else (theirs, ours)
    if bad == 0:
        return 1.0 if good == 0 else math.inf
    return good / bad


class Spread(NamedTuple):
    median: float
    low: float
    high: float
    rounds: int


def spread(values):
    values = sorted(values)
    low, high = values[0], values[-1]
    if len(values) > ALL_OF_IT:
        low, high = values[len(values) // 4], values[len(values) - 1 - len(values) // 4]
    return Spread(middle(values), low, high, len(values))


def middle(values):
    """The median, infinite values among them; between one of those and another it is the other."""
    values = sorted(values)
    below, above = values[(len(values) - 1) // 2], values[len(values) // 2]
    return below if math.isinf(above) else (below + above) / 2


def ratios(measure, metric, name, ours):
    """The ratios of the rounds that both have; None if there is none."""
    pairs = [(own[metric.key], other[metric.key])
             for own, other in zip(measure.samples.get(ours, []), measure.samples.get(name, []))
             if metric.key in own and metric.key in other]
    if not pairs:
        return None
    return spread(ratio(own, other, metric.better) for own, other in pairs)


def verdict(found):
    """"ahead" or "behind" if the whole spread is on one side of 1, otherwise "level"."""
    margin = MARGIN if found.rounds >= 3 else MARGIN_OF_FEW
    if found.low > 1 and found.median > 1 + margin:
        return "ahead"
    if found.high < 1 and found.median < 1 / (1 + margin):
        return "behind"
    return "level"


def median(samples, metric):
    """Of a server's samples; of counts the sum. None if no sample has it."""
    values = [sample[metric.key] for sample in samples if metric.key in sample]
    if not values:
        return None
    if metric.form is None:
        return {kind: sum(value.get(kind, 0) for value in values)
                for kind in dict.fromkeys(kind for value in values for kind in value)}
    return middle(values)


def percentile(values, share):
    """The smallest value that at least so much of 100 are not above; 0 of none."""
    values = sorted(values)
    return values[max(0, math.ceil(len(values) * share / 100) - 1)] if values else 0
