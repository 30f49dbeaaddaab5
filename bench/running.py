"""One run: who takes part, on which CPUs, what was measured, what went wrong with ourselves."""
import contextlib
import os
import resource
import subprocess
import time

import network
import peers
from load import wrk
from peers import server
from report import tables


PATIENCE_S = 10  # with ourselves: a late answer is told from none at all
SPARE_DESCRIPTORS = 100  # of a process, besides those of its connections


def patience_s(server, usual_s):
    """How long to wait for an answer. Of others, those that would come later do not matter."""
    return PATIENCE_S if server.name == peers.OURS else usual_s


def rounded(figure):
    """A sample with as many digits as mean something."""
    return {key: float(f"{value:.5g}") if isinstance(value, float) else value
            for key, value in figure.items()}


def raise_limit():
    """As many descriptors as we may have; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_connections(descriptors, ports):
    """How many connections there can be of one process that asks and one that answers."""
    return min(descriptors - SPARE_DESCRIPTORS, ports)


class Run:
    """What the rows are given.

    rounds, seconds: of each load. short: a look, not a measurement.
    """

    def __init__(self, options, folder):
        self.rounds, self.seconds, self.short = options.rounds, 1, options.quick
        self.folder = folder
        self.cores = sorted(os.sched_getaffinity(0))
        self.load_core = self.cores[0]
        os.sched_setaffinity(0, {self.load_core})
        self.measures, self.wrong, self.absent = [], [], {}
        if why := network.isolate():
            self.absent["a network of its own"] = why
        self.descriptors = raise_limit()
        self.most_connections = most_connections(self.descriptors, network.connections())
        server.make_files(folder / "files")
        self.kinds = self.able(peers.SERVERS, options.peers)
        self.proxies = self.able(peers.PROXIES, options.peers)
        self.began = time.monotonic()

    def able(self, kinds, names):
        """Those of the table that are wanted and there; why others are not goes to absent."""
        found = []
        for kind in kinds:
            if kind.name != peers.OURS and kind.name not in names:
                continue
            if why := kind.missing():
                self.absent[kind.name] = why
                continue
            try:
                os.sched_setaffinity(0, set(self.cores))
                kind.prepare(self.folder)
                found.append(kind)
            except (OSError, subprocess.SubprocessError) as error:
                self.absent[kind.name] = str(error)
            finally:
                os.sched_setaffinity(0, {self.load_core})
        return found

    def supervised(self):
        """Those whose workers are replaced; of two with the same cluster the one that builds on
        the other."""
        some = [kind for kind in self.kinds if kind.supervised]
        return [kind for kind in some
                if not any(other is not kind and issubclass(other, kind) for other in some)]

    def versions(self):
        return {kind.name: kind.version() for kind in (*self.kinds, *self.proxies)}

    def say(self, text):
        print(f"[{time.monotonic() - self.began:4.0f} s] {text}", flush=True)

    def make(self, kinds, workers=1, connections=1000):
        """Servers that are not started yet. They have the last CPUs, one for each worker, as
        far as there are so many; the load has the first one."""
        return [kind(self.folder, self.cores[-min(workers, len(self.cores)):], workers, connections)
                for kind in kinds]

    def crowded(self, kinds, connections):
        """Servers for so many connections, not started yet. They serve no files: zombie-server
        would hold back a descriptor for the file of each connection and accept half as many."""
        made = self.make(kinds, connections=connections + SPARE_DESCRIPTORS)
        for one in made:
            one.serves_files = False
        return made

    @contextlib.contextmanager
    def running(self, some, checked=True, measure=None):
        """These servers, started and, unless that would disturb, checked; those that answer
        rightly. Who does not start is absent from the measure."""
        with contextlib.ExitStack() as stack:
            good = []
            for one in some:
                stack.callback(one.stop)
                with self.attempt("start", one, measure):
                    one.start()
                    mistakes = one.mistakes() if checked else []
                    for mistake in mistakes:
                        self.blame(one.name, mistake)
                    good += [] if mistakes else [one]
            yield good

    def each(self, measure, some, take, checked=True):
        """A sample of each of these servers by take(server): one after the other, so that nobody
        has anything left of another one."""
        for one in some:
            with self.running([one], checked, measure) as good:
                for started in good:
                    with self.attempt(measure.title, started, measure):
                        self.sample(measure, started, take(started))

    @contextlib.contextmanager
    def attempt(self, title, one, measure=None, strict=True):
        """Go on with what is next if this server fails. If it is ours, that is a fault of the run,
        unless it is not strict: at the limit of what the load can do it may be the load's."""
        try:
            yield
        except (OSError, RuntimeError, ValueError, LookupError,
                subprocess.SubprocessError) as error:
            why = f"{title}: {type(error).__name__}: {error}"
            if strict:
                self.blame(one.name, why)
            else:
                self.say(f"  {one.name} fails: {why}")
            if measure:
                measure.samples.pop(one.name, None)
                measure.absent[one.name] = "it failed"

    def blame(self, name, mistake):
        self.say(f"  {name} fails: {mistake}")
        if name == peers.OURS and mistake not in self.wrong:
            self.wrong.append(mistake)

    def sample(self, measure, one, figure):
        """Take note of what a server had in a round, unless it has failed in one before."""
        if one.name not in measure.absent:
            measure.samples.setdefault(one.name, []).append(rounded(figure))

    def add(self, measure):
        """This measure is complete."""
        measure.compared &= peers.OURS in measure.samples
        self.measures.append(measure)
        print(f"\n{measure.title}\n\n{tables.of(measure, peers.OURS)}\n", flush=True)

    def has_wrk(self):
        """Whether there is one; says so if not."""
        why = wrk.missing()
        if why:
            self.say(f"  n/a: {why}")
        return not why


def rotated(items, by):
    """The same in another order in each round."""
    by %= max(1, len(items))
    return items[by:] + items[:by]


def failures(run, measure):
    """Requests that failed under full load: ours may not."""
    for sample in measure.samples.get(peers.OURS, []):
        if sample.get("failed"):
            run.blame(peers.OURS, f"{measure.title}: {sample['failed']} requests failed")
