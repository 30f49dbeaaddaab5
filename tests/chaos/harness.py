"""The run of a plan: its steps in their time, then the accounts."""

import re
import time

import changes
import leftovers
import strikes
import wants
from cluster import running
from lib.wait import eventually
from scenario import DEADLINE, LeftOut
from timeline import Timeline
from witness import Scales

SCENARIOS = {
    "kill": strikes.kill,
    "stop": strikes.Stop,
    "pause": strikes.Pause,
    "hang": strikes.Hang,
    "leave": strikes.leave,
    "role": strikes.Role,
    "reload": changes.Reload,
    "upgrade": changes.Upgrade,
    "rotate": changes.Rotate,
    "scale": changes.scale,
    "leak": wants.Leak,
    "descriptors": wants.descriptors,
    "disk": wants.Disk,
    "slow": wants.Slow,
    "registry": wants.Registry,
}

TICK = 0.01  # seconds
ANSWERS = 200  # before the first step and after the last one
MEMORY_KB = 4096  # by which the master may have grown


class Run:
    """Of a plan against a cluster. `losses`: what the load has lost, once it has ended."""

    def __init__(self, cluster, plan):
        self.cluster, self.plan = cluster, plan
        self.timeline = Timeline()
        self.lasting = []  # (when it ends, scenario), as the timeline has it
        self.open = []  # (until when there must be a verdict, scenario)
        self.begun = []  # all scenarios
        self.losses = []
        self.n_checked = 0  # lines of the log
        self.before = None  # what was there, least and most

    # --- Steps --------------------------------------------------------------------------------

    def note(self, step, text):
        self.timeline.note(f"{step.number:4d} {step}: {text}")

    def begin(self, step):
        scenario = SCENARIOS[step.name](self.cluster, step)
        try:
            self.note(step, scenario.begin())
        except LeftOut as reason:
            self.note(step, f"left out, {reason}")
            return
        self.begun.append(scenario)
        if step.lasts:
            self.lasting.append((step.at + step.lasts, scenario))
        else:
            self.open.append((time.monotonic() + DEADLINE, scenario))

    def end(self, due):
        """What lasts no longer than that."""
        for entry in [one for one in self.lasting if one[0] <= due]:
            self.lasting.remove(entry)
            self.note(entry[1].step, entry[1].end())
            self.open.append((time.monotonic() + DEADLINE, entry[1]))

    def judge(self):
        """Hear what has come of the steps so far."""
        self.cluster.look()
        self.check_log()
        for entry in list(self.open):
            until, scenario = entry
            verdict = scenario.verdict()
            if verdict:
                self.open.remove(entry)
                self.note(scenario.step, verdict)
            else:
                assert time.monotonic() < until, f"nothing came of step {scenario.step}"

    def wait(self, predicate):
        """Until it is true; meanwhile what is due is done."""
        while not predicate():
            self.end(self.timeline.now)
            self.judge()
            time.sleep(TICK)

    def carry_out(self):
        for step in self.plan.steps:
            self.wait(lambda step=step: self.timeline.now >= step.at)
            self.begin(step)
        self.wait(lambda: self.timeline.now >= self.plan.seconds)
        self.end(float("inf"))
        self.wait(lambda: not self.open and not self.cluster.errands)

    # --- Accounts -----------------------------------------------------------------------------

    def whole(self):
        """From the first answer to the last one, and what is there afterwards."""
        self.cluster.upgrade()  # as it is after an exec
        scales, self.before = Scales(self.cluster.server), leftovers.range_of(self.cluster)
        with self.cluster.under_load() as load:
            try:
                load.wait_for_answers(ANSWERS)
                self.timeline = Timeline()
                self.carry_out()
                self.cluster.settle()
                load.wait_for_answers(ANSWERS)
            finally:
                self.undo()
                load.stop()
                self.losses = load.total.losses + self.cluster.losses
        self.timeline.note("the load has ended")
        self.check_losses()
        self.check_deaths()
        self.cluster.settle()
        leftovers.wait_until_in(self.cluster, self.before)
        said = scales.assert_nothing_leaked(MEMORY_KB)
        self.check_identity()
        self.check_files()
        self.check_log()
        return f"{load.total}; {said}"

    def undo(self):
        """Whatever happens: what the scenarios have done to others than the server."""
        for _, scenario in self.lasting:
            scenario.end()
        self.lasting = []

    def check_losses(self):
        self.cluster.look()
        lost = self.cluster.ledger.inexcusable(self.losses)
        assert not lost, "\n".join([f"{len(lost)} requests were lost without an excuse:",
                                    *map(str, lost[:20])])  # fmt: skip

    def check_log(self):
        """Every error has its reason."""
        lines = self.cluster.journal.lines
        strange = [text for _, level, text in lines[self.n_checked :] if level == "error"
                   and not any(scenario.explains(text) for scenario in self.begun)]  # fmt: skip
        self.n_checked = len(lines)
        assert not strange, "errors without a reason:\n" + "\n".join(strange[:20])

    def check_deaths(self):
        """Every violent death was wanted."""
        for _, worker, text in self.cluster.journal.deaths:
            is_good = re.match(r"worker \d+ died: exited with status 0 ", text)
            assert is_good or self.cluster.ledger.may_die(worker), f"nobody wanted this: {text}"

    def check_identity(self):
        cluster = self.cluster
        for _ in range(50):
            assert cluster.server.identity()["instance"] == cluster.instance
        started = [text for _, _, text in cluster.journal.lines if " an upgrade instance=" in text]
        assert all(f"instance={cluster.instance} pid={cluster.pid} " in text for text in started)

    def check_files(self):
        """What the disk was too full for is written again."""
        cluster = self.cluster
        cluster.fetch("/hello?the-last-line")
        for path, sign in ((cluster.access_log, "the-last-line"), (cluster.cache, '"api"')):
            eventually(lambda path=path, sign=sign: sign in path.read_text(), f"{sign} in {path}")

    def check_nothing_is_left(self):
        """Once it has stopped."""
        processes, files = self.cluster.server.processes(), leftovers.files(self.cluster)
        new = [name for name in files if name not in self.before[1]]
        assert not processes and not new, f"left: processes {processes}, files {new}"
        assert self.cluster.server.control_path not in files, "the control socket is left"

    def report(self, error):
        """Everything that helps to understand and to repeat it."""
        command = (f"CHAOS_SEED={self.plan.seed} CHAOS_MINUTES={self.plan.seconds / 60:g} "
                   "PYTEST_ARGS='-k test_harness' make -C build check-chaos")  # fmt: skip
        lost = self.cluster.ledger.inexcusable(self.losses)
        return "\n".join([
            repr(error), "", self.timeline.render(self.cluster.journal.lines, lost[:100]), "",
            f"{error}", f"seed {self.plan.seed}; again: {command}",
        ])  # fmt: skip


def carry_out(start, folder, plan):
    """All of it; returns what is to be said of a run in which nothing was wrong."""
    with running(start, folder, plan) as cluster:
        run = Run(cluster, plan)
        try:
            said = run.whole()
            cluster.server.stop()
            cluster.behind.stop()
            run.check_nothing_is_left()
        except Exception as error:
            cluster.journal.read()
            raise AssertionError(run.report(error)) from error
    (folder / "timeline").write_text(run.timeline.render(cluster.journal.lines, run.losses))
    return f"{len(run.begun)} steps, {len(cluster.ledger.licences)} licences; {said}"
