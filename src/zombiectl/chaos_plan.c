#include "config.h"

#include "zombiectl/chaos_plan.h"

/* SplitMix64 (Steele, Lea, Flood 2014): the n-th number without those before it. */
static uint64_t random_at(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Below n, n < 2^32; the bias is below 2^-32. */
static uint64_t below(uint64_t random, uint64_t n)
{
    return (random >> 32) * n >> 32;
}

/* Where the period with this number begins. */
static int64_t period_at(const struct chaos_plan *plan, uint64_t number)
{
    return (int64_t)(number * UINT64_C(1000000000) / (uint64_t)plan->rate);
}

bool chaos_plan_kill(const struct chaos_plan *plan, uint64_t number, struct chaos_kill *ret_kill)
{
    uint64_t most = (uint64_t)plan->for_ms * (uint64_t)plan->rate / 1000000 + 1;
    int64_t begin;
    int64_t at;

    if (number > most)
        return false;
    begin = period_at(plan, number);
    at = begin + (int64_t)below(random_at(plan->seed, 2 * number),
                                (uint64_t)(period_at(plan, number + 1) - begin));
    if (at >= plan->for_ms * 1000)
        return false;
    ret_kill->at_us = at;
    ret_kill->slot = 1 + (unsigned)below(random_at(plan->seed, 2 * number + 1), plan->slots);
    return true;
}
