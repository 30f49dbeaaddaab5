#include "config.h"

#include "zombiectl/chaos_tally.h"

static const char *const names[PROBE_OUTCOMES] = {
    [PROBE_OK] = "ok",
    [PROBE_REFUSED] = "refused",
    [PROBE_RESET] = "reset",
    [PROBE_CLOSED] = "closed",
    [PROBE_PARTIAL] = "partial",
    [PROBE_STATUS] = "status",
    [PROBE_MALFORMED] = "malformed",
    [PROBE_TIMEOUT] = "timeout",
};

const char *chaos_tally_name(enum chaos_outcome outcome)
{
    return names[outcome];
}

uint64_t chaos_tally_sent(const struct chaos_tally *tally)
{
    return tally->outcomes[PROBE_OK] + chaos_tally_lost(tally);
}

uint64_t chaos_tally_lost(const struct chaos_tally *tally)
{
    uint64_t lost = 0;

    for (int i = PROBE_OK + 1; i < PROBE_OUTCOMES; i++)
        lost += tally->outcomes[i];
    return lost;
}
