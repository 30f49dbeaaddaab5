"""The plots: data files from measures, drawn by gnuplot with the scripts in bench/plots."""
import math
import shutil
import subprocess
import tempfile
from pathlib import Path

from report import figures

SCRIPTS = Path(__file__).resolve().parent.parent / "plots"
LOADS = ("keep-alive", "close", "1k", "100k", "proxy-keep-alive", "proxy-close", "proxy-100k")
SHORT = {"keep-alive": "keep-alive", "close": "connection\\neach", "1k": "1 KiB file",
         "100k": "100 KiB file", "proxy-keep-alive": "proxy,\\nkeep-alive",
         "proxy-close": "proxy,\\nconn. each", "proxy-100k": "proxy,\\n100 KiB"}


def missing():
    return None if shutil.which("gnuplot") else "there is no gnuplot (Debian: gnuplot-nox)"


def number(value):
    return "NaN" if value is None or math.isinf(value) else f"{value:.6g}"


def quoted(names):
    return "\t".join(f'"{name}"' for name in names)


def ratio_lines(measures, key, ours):
    """Loads as lines, the other servers as columns, our ratio to each."""
    some = [measures[load] for load in LOADS if load in measures]
    names = list(dict.fromkeys(name for one in some for name in one.samples if name != ours))
    lines = [quoted(["load", *names])]
    for one in some:
        found = [figures.ratios(one, one.metric(key), name, ours) for name in names]
        if any(found):
            lines.append("\t".join([f'"{SHORT[one.key]}"',
                                    *(number(ratio and ratio.median) for ratio in found)]))
    return lines if len(lines) > 1 and names else []


def ratios(measures, ours):
    return {"cpu": ratio_lines(measures, "cpu_us", ours),
            "rate": ratio_lines(measures, "rate", ours)}


def recovery(measures, _):
    """Every recovery, and the median of each server."""
    one = measures.get("recovery")
    if not one or not one.samples:
        return {}
    lines = [f'{place}\t{number(sample["ms"])}\t"{name}"' for place, (name, samples) in
             enumerate(one.samples.items()) for sample in samples]
    medians = [f'{place}\t"{name}"\t{number(figures.median(samples, one.metric("ms")))}'
             for place, (name, samples) in enumerate(one.samples.items())]
    return {"kills": lines, "medians": medians}


def storm_lines(measures, way):
    some = [one for key, one in measures.items() if key.startswith(way + "-") and one.samples]
    names = list(dict.fromkeys(name for one in some for name in one.samples))
    return [quoted(["rate", *names])] + [
        "\t".join([f'"{one.key.removeprefix(way + "-")} a second"', *(
            number(figures.median(one.samples.get(name, []), one.metric("share")))
            for name in names)]) for one in some] if names else []


def storms(measures, _):
    return {"signals": storm_lines(measures, "signals"), "calls": storm_lines(measures, "calls")}


def growth_lines(measures, prefix, key):
    """Lines of a number and what each server had with it."""
    some = [(int(name.removeprefix(prefix)), one) for name, one in measures.items()
            if name.startswith(prefix) and one.samples]
    names = list(dict.fromkeys(name for _, one in some for name in one.samples))
    return [quoted(["number", *names])] + [
        "\t".join([str(count), *(
            number(figures.median(one.samples.get(name, []), one.metric(key)))
            for name in names)]) for count, one in some] if names else []


def scale(measures, _):
    return {"start": growth_lines(measures, "workers-", "start"),
            "pss": growth_lines(measures, "workers-", "pss"),
            "cpu": growth_lines(measures, "connections-", "cpu_us"),
            "memory": growth_lines(measures, "connections-", "kb")}


PLOTS = (("throughput", "ratios", "How many times better zombie-server is", ratios),
         ("recovery", "recovery", "Time to an answer after kill -9 of the only worker", recovery),
         ("storms", "storms", "Requests lost while workers die", storms),
         ("scale", "scale", "Growth with workers and connections", scale))


def draw(folder, measures, ours):
    """Draw what there is data for: {section: [(file name, title)]}."""
    if missing():
        return {}
    by_key = {one.key: one for one in measures}
    drawn = {}
    for section, name, title, make in PLOTS:
        blocks = make(by_key, ours)
        if blocks and all(blocks.values()):
            plot(folder / f"{name}.svg", SCRIPTS / f"{name}.gp", blocks)
            drawn.setdefault(section, []).append((f"{name}.svg", title))
    return drawn


def plot(file, script, blocks):
    """One script with a data file for each block, whose path is the variable of that name."""
    with tempfile.TemporaryDirectory(prefix="bench-plot-") as name:
        settings = [f'output_file="{file}"', f'common="{SCRIPTS / "common.gp"}"']
        for block, lines in blocks.items():
            path = Path(name) / block
            path.write_text("\n".join(lines) + "\n", encoding="ascii")
            settings.append(f'{block}="{path}"')
        subprocess.run(["gnuplot", "-e", "; ".join(settings), script], check=True)
