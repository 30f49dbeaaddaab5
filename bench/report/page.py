"""The results as files: results.json, README.md with the tables, the plots."""
import json

import peers
from report import figures, machine, plots, tables

HEAD = """\
# Numbers side by side

Written by `bench/run` on {date}{quick}, which took {minutes} min {seconds} s.
[results.json](results.json) has every sample, and `bench/README.md` says how to run it.

A ratio is ours beside that of another server in the same round: above 1 zombie-server is so many
times better, below 1 the other one is, be it throughput, CPU time, memory, time or losses. In
brackets is the spread over the rounds, of more than {all_of_it} rounds their middle half. The
verdict is *ahead* or *behind* when the whole spread is on one side of 1 and its median more than
{margin:.0%} away from it ({margin_of_few:.0%} with less than three rounds), and *level* otherwise.
*inf*: we had none of it and they had some. Figures of one machine: compare columns, not machines."""


def write(folder, data):
    """All of it anew, from what results.json has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(as_json(data), encoding="utf-8")
    measures = [figures.from_data(one) for one in data["measures"]]
    drawn = plots.draw(folder, measures, peers.OURS)
    (folder / "README.md").write_text(page(data, measures, drawn), encoding="utf-8")


def as_json(data):
    """A line for each measure."""
    rest = {key: value for key, value in data.items() if key != "measures"}
    return (json.dumps(rest, indent=1)[:-2] + ',\n "measures": [\n'
            + ",\n".join(json.dumps(one) for one in data["measures"]) + "\n ]\n}\n")


def faults(wrong):
    """What our own server did that it may not do: such a run is no good."""
    if not wrong:
        return []
    return ["\n**This run has failed.** zombie-server:\n", *(f"- {one}" for one in wrong)]


def page(data, measures, drawn):
    about = data["machine"]
    parts = [HEAD.format(
        date=data["date"], quick=", a quick look that proves little" if about["quick"] else "",
        minutes=data["seconds"] // 60, seconds=data["seconds"] % 60,
        all_of_it=figures.ALL_OF_IT, margin=figures.MARGIN, margin_of_few=figures.MARGIN_OF_FEW),
        *faults(data["wrong"]), "\n## The machine\n", machine.markdown(about), "\n## At a glance\n",
        tables.overview(measures, peers.OURS), "\n## Where we are behind\n",
        tables.behind(measures, peers.OURS)]
    for section, text in data["sections"].items():
        own = [measure for measure in measures if measure.section == section]
        if own:
            parts.append(f"\n## {text['title']}\n\n{text['about']}")
            parts += [f"\n![{title}]({file})" for file, title in drawn.get(section, [])]
            parts += [f"\n### {measure.title}\n\n{tables.of(measure, peers.OURS)}"
                      for measure in own]
    return "\n".join(parts) + "\n"
