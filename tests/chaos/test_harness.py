"""
Chaos by a plan. CHAOS_SEED: whole numbers, or `random`; CHAOS_MINUTES: how long
all of them take together.
"""

import os

import pytest

from harness import carry_out
from plan import make_plan, parse_seeds

SEEDS = parse_seeds(os.environ.get("CHAOS_SEED") or "1 2")
MINUTES = float(os.environ.get("CHAOS_MINUTES") or 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_cluster_survives_the_plan(start, tmp_path, figure, seed):
    plan = make_plan(seed, 60 * MINUTES / len(SEEDS))
    figure(f"CHAOS_SEED={seed} CHAOS_MINUTES={plan.seconds / 60:g}")
    figure(carry_out(start, tmp_path, plan))
