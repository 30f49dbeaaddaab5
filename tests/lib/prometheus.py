"""The text format of Prometheus, 0.0.4, by a reader that believes nothing: each line is checked."""

import math
import re
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (\S+)")
_NUMBER = re.compile(r"\+Inf|[0-9]+(\.[0-9]+)?")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


@dataclass
class Family:
    """All samples of one name: values by suffix and labels."""

    name: str
    help: str
    type: str = ""
    samples: dict = field(default_factory=dict)  # (suffix, frozenset of label pairs) -> number


def _unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def _number(text):
    assert _NUMBER.fullmatch(text), f"{text!r} is no number"
    return math.inf if text == "+Inf" else float(text)


class _Reader:
    def __init__(self):
        self.families = {}
        self.family = None  # whose samples may follow

    def take(self, line):
        if line.startswith("# HELP "):
            self._take_help(line)
        elif line.startswith("# TYPE "):
            self._take_type(line)
        else:
            self._take_sample(line)

    def _take_help(self, line):
        _, _, name, text = line.split(" ", 3)
        assert re.fullmatch(_NAME, name), f"{name!r} is no name"
        assert name not in self.families, f"{name} comes twice"
        assert text, f"{name} has an empty help"
        self.family = self.families[name] = Family(name, _unescape(text))

    def _take_type(self, line):
        _, _, name, kind = line.split(" ")
        assert self.family and self.family.name == name, f"TYPE {name} is not behind its HELP"
        assert not self.family.type and not self.family.samples, f"TYPE {name} comes late"
        assert kind in _SUFFIXES, f"{name} is of the unknown type {kind}"
        self.family.type = kind

    def _take_sample(self, line):
        match = _SAMPLE.fullmatch(line)
        assert match, f"{line!r} is no sample"
        name, labels, value = match[1], match[2], match[match.lastindex]
        family = self.family
        assert family and family.type, f"{name} has no TYPE before it"
        suffix = name.removeprefix(family.name)
        assert name.startswith(family.name) and suffix in _SUFFIXES[family.type], \
            f"{name} is not of {family.name}"  # fmt: skip
        pairs = [(key, _unescape(text)) for key, text in re.findall(_LABEL, labels or "")]
        assert len(dict(pairs)) == len(pairs), f"a label comes twice: {line!r}"
        key = (suffix, frozenset(pairs))
        assert key not in family.samples, f"a sample comes twice: {line!r}"
        family.samples[key] = _number(value)


def _check_histogram(family):
    """One without labels but `le`, which is all that we have."""
    buckets = [(_number(dict(labels)["le"]), value)
               for (suffix, labels), value in family.samples.items()
               if suffix == "_bucket"]  # fmt: skip
    bounds, counts = zip(*buckets)
    assert list(bounds) == sorted(set(bounds)), f"{family.name}: {bounds}"
    assert bounds[-1] == math.inf, f"{family.name} ends at {bounds[-1]}"
    assert list(counts) == sorted(counts), f"{family.name} is not cumulative: {counts}"
    assert counts[-1] == family.samples["_count", frozenset()], f"{family.name}: +Inf and count"
    assert ("_sum", frozenset()) in family.samples, f"{family.name} has no sum"


def _check_family(family):
    assert family.type, f"{family.name} has no type"
    if family.type == "counter":
        assert family.name.endswith("_total"), f"the counter {family.name} is no total"
    else:
        assert not family.name.endswith("_total"), f"{family.name} is no counter"
    if family.type == "histogram":
        _check_histogram(family)
    for unit in ("_milliseconds", "_ms", "_kilobytes", "_percent"):
        assert unit not in family.name, f"{family.name} is in no base unit"


class Metrics:
    """What was scraped. A text that breaks a rule fails."""

    def __init__(self, text):
        assert text.endswith("\n"), "the last line has no end"
        reader = _Reader()
        for line in text[:-1].split("\n"):
            reader.take(line)
        self.families = reader.families
        for family in self.families.values():
            _check_family(family)

    def get(self, name, **labels):
        """The value of one sample; name is that of the sample, with its suffix."""
        for suffix in ("", "_bucket", "_sum", "_count"):
            family = self.families.get(name.removesuffix(suffix) if suffix else name)
            key = (suffix, frozenset(labels.items()))
            if family and key in family.samples:
                return family.samples[key]
        raise AssertionError(f"there is no {name} {labels}")

    def total(self, name):
        """The sum over all labels."""
        return sum(self.families[name].samples.values())

    def labels(self, name, label):
        """All values of a label."""
        return {dict(pairs)[label] for _, pairs in self.families[name].samples}

    def falls_since(self, earlier):
        """Counters, and counts of histograms, that have fallen or are gone since then."""
        return [(family.name, key) for family in earlier.families.values() if family.type != "gauge"
                for key, value in family.samples.items()
                if self.families[family.name].samples.get(key, -1) < value]  # fmt: skip
