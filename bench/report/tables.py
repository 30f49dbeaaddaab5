"""Measures as Markdown: a table each, and one of all that says who is ahead."""
import math

from report import figures


def cell(value, metric):
    if value is None:
        return "-"
    if metric.form is None:
        return ", ".join(f"{count:,} {kind}" for kind, count in value.items() if count) or "-"
    return format(value, metric.form)


def times(value):
    if math.isinf(value):
        return "inf"
    return f"{value:.2f}" if value < 99.5 else f"{value:,.0f}"


def ratio_cell(found):
    """The ratio, its spread if it has one, the verdict."""
    if found is None:
        return "-"
    word = figures.verdict(found)
    if found.rounds == 1:
        return f"{times(found.median)} {word}"
    return f"{times(found.median)} ({times(found.low)}..{times(found.high)}) {word}"


def rows(measure, ours):
    """The cells of a table, the headings first."""
    metrics = [metric for metric in measure.metrics if measure.have(metric.key)]
    compared = [metric for metric in metrics if metric.better and measure.compared]
    lines = [["server", *(metric.title for metric in metrics),
              *(f"ours to it: {metric.title}" for metric in compared)]]
    for name, samples in measure.samples.items():
        cells = [name, *(cell(figures.median(samples, metric), metric) for metric in metrics)]
        if name == ours:
            cells += ["" for _ in compared]
        else:
            cells += [ratio_cell(figures.ratios(measure, metric, name, ours))
                      for metric in compared]
        lines.append(cells)
    return lines


def markdown(lines):
    """A table with the first column to the left and the others to the right."""
    widths = [max(3, *map(len, column)) for column in zip(*lines)]
    out = []
    for number, cells in enumerate(lines):
        padded = [cells[0].ljust(widths[0]),
                  *(text.rjust(width) for text, width in zip(cells[1:], widths[1:]))]
        out.append("| " + " | ".join(padded) + " |")
        if number == 0:
            out.append("|" + "-" * (widths[0] + 2) + "|"
                       + "|".join("-" * (width + 1) + ":" for width in widths[1:]) + "|")
    return "\n".join(out)


def of(measure, ours):
    """The whole of a measure: its table and who is not in it."""
    parts = [markdown(rows(measure, ours))] if measure.samples else []
    parts += [f"{name}: n/a, {why}." for name, why in measure.absent.items()]
    return "\n\n".join(parts)


def overview(measures, ours):
    """A line for each measure, a column for each other server: ratio and verdict."""
    some = [measure for measure in measures if measure.shown and measure.compared]
    names = list(dict.fromkeys(name for measure in some for name in measure.samples
                               if name != ours))
    if not names:
        return "There was nobody to compare with."
    lines = [["", "by", *names]]
    for measure in some:
        metric = measure.metric(measure.shown)
        found = [figures.ratios(measure, metric, name, ours) for name in names]
        if any(found):
            lines.append([measure.title, metric.title,
                          *("" if one is None else f"{times(one.median)} {figures.verdict(one)}"
                            for one in found)])
    return markdown(lines)


def behind(measures, ours):
    """Everything in which we are behind somebody, as a list."""
    lines = []
    for measure in measures:
        for metric in measure.metrics if measure.compared else []:
            for name in measure.samples if metric.better else []:
                found = name != ours and figures.ratios(measure, metric, name, ours)
                if found and figures.verdict(found) == "behind":
                    lines.append(f"- {measure.title}, {metric.title}, beside {name}:"
                                 f" {ratio_cell(found)}")
    return "\n".join(lines) or "In nothing that was measured."
