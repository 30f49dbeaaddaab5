"""
The plan of a run: which step comes when. Pure: a seed is a plan, today and
tomorrow, and a longer plan begins with the shorter one.
"""

import itertools
import random
from dataclasses import dataclass

GAP = (0.3, 2.0)  # seconds between the beginnings of two steps
AT_ONCE = 3  # steps that last, at most


@dataclass(frozen=True)
class Card:
    """A step without its time: a deck has each of them once."""

    name: str  # of a scenario
    variant: str = ""
    lasts: tuple = (0, 0)  # seconds, shortest and longest; 0: nothing is to be undone


DECK = (
    Card("kill", "signal"),
    Card("kill", "signal"),
    Card("kill", "kill"),
    Card("kill", "segv"),
    Card("kill", "abort"),
    Card("stop"),
    Card("hang"),
    Card("pause", lasts=(0.2, 0.8)),
    Card("leave", "signal"),
    Card("leave", "exit"),
    Card("role", "admin"),
    Card("role", "herald"),
    Card("leak", lasts=(14, 20)),
    Card("descriptors", "master", (1, 4)),
    Card("descriptors", "worker", (1, 4)),
    Card("disk", lasts=(2, 8)),
    Card("slow", "head", (1, 6)),
    Card("slow", "body", (1, 6)),
    Card("slow", "answer", (1, 6)),
    Card("registry", "gone", (2, 8)),
    Card("registry", "garbage", (2, 8)),
    Card("registry", "silent", (2, 8)),
    Card("registry", "dripping", (2, 8)),
    Card("registry", "failing", (2, 8)),
    Card("reload"),
    Card("reload"),
    Card("upgrade"),
    Card("rotate"),
    Card("scale", "more"),
    Card("scale", "fewer"),
    Card("scale", "to"),
)


@dataclass(frozen=True)
class Step:
    number: int
    at: float  # seconds from the beginning
    name: str
    variant: str
    lasts: float  # seconds; 0: it is over at once
    lot: float  # 0 to 1: decides between those whom it may strike

    def __str__(self):
        words = [self.name, self.variant, f"for {self.lasts:.1f} s" if self.lasts else ""]
        return " ".join(filter(None, words))

    def choose(self, candidates):
        return candidates[int(self.lot * len(candidates))]


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float
    registry: str
    workers: int
    steps: tuple


def _next_card(deck, running):
    """Take the first card that may be played beside those that are on the table, or None."""
    names = {step.name for step in running}
    for card in deck:
        if card.lasts[1] == 0 or (card.name not in names and len(running) < AT_ONCE):
            deck.remove(card)
            return card
    return None


def _deal(dice):
    """Steps without end. Each deck is played to its last card before the next one."""
    now, running, deck = 0.0, [], []
    for number in itertools.count(1):
        if not deck:
            deck = dice.sample(DECK, len(DECK))
        now += dice.uniform(*GAP)
        running = [step for step in running if step.at + step.lasts > now]
        while (card := _next_card(deck, running)) is None:
            first = min(running, key=lambda step: step.at + step.lasts)
            now = first.at + first.lasts
            running.remove(first)
        step = Step(number, now, card.name, card.variant, dice.uniform(*card.lasts), dice.random())
        if step.lasts:
            running.append(step)
        yield step


def make_plan(seed, seconds):
    """Steps that begin within so many seconds; one that lasts may end later."""
    dice = random.Random(seed)
    registry, workers = dice.choice(("consul", "eureka")), dice.randint(2, 4)
    steps = itertools.takewhile(lambda step: step.at < seconds, _deal(dice))
    return Plan(seed, seconds, registry, workers, tuple(steps))


def parse_seeds(text, draw=random.SystemRandom().getrandbits):
    """Of "1,2": each; `random` is one that draw(32) gives."""
    return [draw(32) if word == "random" else int(word) for word in text.replace(",", " ").split()]
