"""Figures as text."""
from lib.rounds import REFERENCE

HEADINGS = ("server", "req/s", f"of {REFERENCE} (min..max)", "CPU us/req",
            f"of {REFERENCE} (min..max)", "busy", "others", "p50 us", "p99 us", "at req/s",
            "failed", "late")


def ratio(one, key):
    if key not in one:
        return ""
    return f"{one[key]['median']:.2f} ({one[key]['min']:.2f}..{one[key]['max']:.2f})"


def number(one, key, form):
    return format(one[key], form) if key in one else "-"


def line(name, one):
    return (name, number(one, "rate", ",.0f"), ratio(one, "rate_ratio"),
            number(one, "cpu_us", ",.2f"), ratio(one, "cpu_ratio"), number(one, "busy", ".0%"),
            number(one, "others", ".0%"), number(one, "p50", ",.0f"), number(one, "p99", ",.0f"),
            number(one, "paced_rate", ",.0f"), str(one["failed"]), str(one["late"]))


def table(lines):
    """Columns as wide as what is in them; the first one to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    for cells in lines:
        print("  " + cells[0].ljust(widths[0]), *(
            cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])), sep="  ")


def load(summary):
    table([HEADINGS, *(line(name, one) for name, one in summary.items())])


def idle(results):
    table([("server", "bytes each", "CPU ms with", "CPU ms without", "failed"), *(
        (name, f"{one['bytes_each']:,.0f}", f"{one['with_ms']:.1f}", f"{one['alone_ms']:.1f}",
         str(one["failed"])) for name, one in results.items())])


def transfers(results):
    table([("server", "download, KiB", "upload, KiB", "failed"), *(
        (name, *(number(one, key, ",") for key in ("download_kb", "upload_kb")),
         str(one["failed"])) for name, one in results.items())])
