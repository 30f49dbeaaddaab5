"""What the harness decides before it touches anything: the plan, and whose loss is excused."""

import itertools
from collections import Counter

import pytest

import ledger
from harness import SCENARIOS
from ledger import Ledger
from leftovers import differences
from lib.load import Loss
from plan import AT_ONCE, DECK, GAP, make_plan, parse_seeds
from timeline import Timeline

SEEDS = range(50)


# --- The plan -------------------------------------------------------------------------------


def ends(step):
    return step.at + step.lasts


def test_a_seed_is_a_plan():
    assert all(make_plan(seed, 120) == make_plan(seed, 120) for seed in SEEDS)
    assert len({make_plan(seed, 120).steps for seed in SEEDS}) == len(SEEDS)


def test_the_plan_of_a_seed_never_changes():
    plan = make_plan(1, 10)
    assert (plan.registry, plan.workers) == ("consul", 4)
    assert [str(step) for step in plan.steps] == [
        "rotate", "reload", "reload", "kill kill", "leave signal", "kill segv", "disk for 6.5 s",
        "descriptors worker for 2.5 s",
    ]  # fmt: skip


def test_a_longer_plan_begins_with_the_shorter_one():
    for seed in SEEDS:
        short, long = make_plan(seed, 60).steps, make_plan(seed, 600).steps
        assert long[: len(short)] == short
        assert long[len(short)].at >= 60


def test_steps_come_in_order_and_within_the_time():
    for seed in SEEDS:
        steps = make_plan(seed, 300).steps
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))
        gaps = [after.at - before.at for before, after in itertools.pairwise(steps)]
        assert min(gaps) >= GAP[0]
        assert 0 <= steps[0].at and steps[-1].at < 300
        assert all(0 <= step.lot < 1 for step in steps)


def test_every_card_is_played_before_one_comes_again():
    for seed in SEEDS:
        steps = make_plan(seed, 300).steps
        for n in range(len(steps) // len(DECK)):
            played = steps[n * len(DECK) : (n + 1) * len(DECK)]
            assert (sorted((step.name, step.variant) for step in played)
                    == sorted((card.name, card.variant) for card in DECK))  # fmt: skip


def test_a_deck_fits_into_the_plan_of_ninety_seconds():
    assert all(len(make_plan(seed, 90).steps) >= len(DECK) for seed in SEEDS)


def test_what_lasts_does_not_pile_up():
    for seed in SEEDS:
        lasting = [step for step in make_plan(seed, 600).steps if step.lasts]
        for step in lasting:
            beside = [one for one in lasting if one.at <= step.at < ends(one)]
            assert len(beside) <= AT_ONCE
            assert len({one.name for one in beside}) == len(beside)


def test_what_lasts_is_as_long_as_its_card_says():
    limits = {(card.name, card.variant): card.lasts for card in DECK}
    for step in make_plan(7, 600).steps:
        shortest, longest = limits[step.name, step.variant]
        assert shortest <= step.lasts <= longest


def test_there_is_a_scenario_for_each_card():
    assert {card.name for card in DECK} == set(SCENARIOS)


def test_a_lot_decides_between_all():
    step = make_plan(1, 10).steps[0]
    assert step.choose(["only one"]) == "only one"
    chosen = {step.choose("abc") for seed in SEEDS for step in make_plan(seed, 30).steps}
    assert chosen == set("abc")


@pytest.mark.parametrize("text, seeds", [
    ("1", [1]), ("1 2", [1, 2]), ("3,4", [3, 4]), ("random", [99]), ("random 5", [99, 5]),
])  # fmt: skip
def test_seeds(text, seeds):
    assert parse_seeds(text, lambda bits: 99) == seeds


# --- The accounts ---------------------------------------------------------------------------


def loss(worker=7, began=10.0, ended=11.0, reason="reset in answer"):
    return Loss("GET", reason, began, ended, worker)


def is_excused(accounts, one):
    return accounts.inexcusable([one]) == []


def test_nothing_is_excused_by_itself():
    assert not is_excused(Ledger(), loss())


@pytest.mark.parametrize("reason", sorted(ledger.DEATHS))
def test_a_death_excuses_what_was_in_flight(reason):
    accounts = Ledger()
    accounts.license(7, "kill", 10.5)
    assert is_excused(accounts, loss(reason=reason))
    assert is_excused(accounts, loss(worker=None, reason=reason))


@pytest.mark.parametrize("reason", [
    "refused", "no answer in answer", "reset in connect", "status 200", "status 502", "status 503",
    "ValueError while idle",
])  # fmt: skip
def test_no_death_excuses_anything_else(reason):
    accounts = Ledger()
    accounts.license(7, "kill", 10.5)
    assert not is_excused(accounts, loss(reason=reason))


def test_a_death_does_not_excuse_what_others_had():
    accounts = Ledger()
    accounts.license(7, "kill", 10.5)
    assert not is_excused(accounts, loss(worker=8))


def test_a_death_does_not_excuse_what_was_lost_before():
    accounts = Ledger()
    accounts.license(7, "kill", 11.5)
    assert not is_excused(accounts, loss())


@pytest.mark.parametrize("died, excused", [(10.5, True), (10.0, True), (9.5, False)])
def test_a_death_does_not_excuse_what_begins_after_it(died, excused):
    accounts = Ledger()
    accounts.license(7, "kill", 9.0)
    accounts.note_death(7, died)
    assert is_excused(accounts, loss()) is excused


def test_a_death_may_be_known_before_its_licence():
    accounts = Ledger()
    accounts.note_death(7, 9.5)
    accounts.license(7, "chaos", 9.0)
    assert not is_excused(accounts, loss())
    assert accounts.may_die(7)


def test_a_licence_can_be_revoked():
    accounts = Ledger()
    accounts.revoke(accounts.license(7, "pause", 10.5))
    assert not is_excused(accounts, loss())
    assert not accounts.may_die(7)


def test_who_is_in_want_may_refuse_and_not_die():
    accounts = Ledger()
    accounts.license(7, "descriptors", 10.5, frozenset(ledger.WANTS))
    assert is_excused(accounts, loss(reason="status 503"))
    assert not is_excused(accounts, loss(reason="reset in answer"))
    assert not accounts.may_die(7)


# --- The timeline ---------------------------------------------------------------------------


def test_timeline_puts_steps_log_and_losses_in_order():
    timeline = Timeline()
    at = timeline.began
    timeline.note("2 kill", at + 2)
    timeline.note("1 reload", at + 1)
    lines = [(at + 1.5, "info", "left out"), (at + 2.5, "error", "worker 7 hangs")]
    text = timeline.render(lines, [loss(ended=at + 2.25)]).splitlines()
    assert [line.split()[1] for line in text] == ["1", "2", "LOST", "error:"]
    assert text[0].split()[0] == "1.000"


# --- What is left ---------------------------------------------------------------------------


@pytest.mark.parametrize("now, problem", [
    ({"master: socket": 3, "a": 1}, []),
    ({"master: socket": 4, "a": 1}, []),
    ({"master: socket": 5, "a": 1}, ["master: socket: 3 to 4 before, 5 now"]),
    ({"master: socket": 2, "a": 1}, ["master: socket: 3 to 4 before, 2 now"]),
    ({"master: socket": 3}, ["a: 1 to 1 before, 0 now"]),
    ({"master: socket": 3, "a": 1, "b": 1}, ["b: 0 to 0 before, 1 now"]),
])  # fmt: skip
def test_what_is_more_or_less_than_before_is_found(now, problem):
    least, most = Counter({"master: socket": 3, "a": 1}), Counter({"master: socket": 4, "a": 1})
    assert differences((least, most), Counter(now)) == problem
