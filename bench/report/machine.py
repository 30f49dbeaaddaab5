"""What the figures were taken on."""
import os
import platform
import re

import proc
from load import wrk
from report import plots


def memory_mb():
    return int(re.search(r"MemTotal:\s+(\d+)", proc.read("/proc/meminfo"))[1]) // 1024


def describe(run, options):
    """A dict for the results, taken before the first load."""
    return {"cpu": proc.cpu_model(), "cores": len(run.cores), "memory_mb": memory_mb(),
            "kernel": f"{platform.system()} {platform.release()}",
            "load_average_before": round(os.getloadavg()[0], 2),
            "rounds": options.rounds, "quick": options.quick,
            "load_core": run.load_core, "descriptors": run.descriptors,
            "versions": run.versions(), "absent": {**run.absent, **tools()}}


def tools():
    """Those of ours that are missing, and why."""
    found = {"wrk": wrk.missing(), "gnuplot": plots.missing()}
    return {name: why for name, why in found.items() if why}


def markdown(about):
    """The same as a list."""
    rounds = "1 round" if about["rounds"] == 1 else f"{about['rounds']} rounds"
    lines = [f"- CPU: {about['cpu']}, {about['cores']} of them;"
             f" {about['memory_mb']:,} MiB of memory",
             f"- {about['kernel']}; load average before the run {about['load_average_before']}",
             f"- {rounds}; load from CPU {about['load_core']},"
             f" servers on the last ones; {about['descriptors']:,} descriptors for a process"]
    lines += [f"- {name}: {version}" for name, version in about["versions"].items()]
    lines += [f"- {name}: n/a, {why}" for name, why in about["absent"].items()]
    return "\n".join(lines)
