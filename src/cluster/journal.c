#include "config.h"

#include "cluster/journal.h"

static const char *const names[JOURNAL_KINDS] = {
    [JOURNAL_START] = "start",
    [JOURNAL_UPGRADE] = "upgrade",
    [JOURNAL_BIRTH] = "birth",
    [JOURNAL_READY] = "ready",
    [JOURNAL_LEAVING] = "leaving",
    [JOURNAL_DEATH] = "death",
    [JOURNAL_POISON] = "poison",
    [JOURNAL_CHAOS] = "chaos",
    [JOURNAL_RELOAD] = "reload",
    [JOURNAL_RELOADED] = "reloaded",
    [JOURNAL_RELOAD_FAILED] = "reload-failed",
    [JOURNAL_UPGRADE_FAILED] = "upgrade-failed",
    [JOURNAL_SCALE] = "scale",
    [JOURNAL_PAUSE] = "pause",
    [JOURNAL_CRASH_LOOP] = "crash-loop",
    [JOURNAL_RECOVERED] = "recovered",
    [JOURNAL_ORDER] = "order",
    [JOURNAL_STOP] = "stop",
    [JOURNAL_UPSTREAM] = "upstream",
};

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
    struct journal_entry *place = &journal->entries[journal->added % JOURNAL_ENTRIES];
    *place = *entry;
    place->sequence = ++journal->added;
}

const struct journal_entry *journal_from(const struct journal *journal, uint64_t sequence)
{
    uint64_t n = journal->added < JOURNAL_ENTRIES ? journal->added : JOURNAL_ENTRIES;
    uint64_t oldest = journal->added - n + 1;
    if (sequence < oldest)
        sequence = oldest;
    if (sequence > journal->added)
        return NULL;
    return &journal->entries[(sequence - 1) % JOURNAL_ENTRIES];
}

const char *journal_kind_name(uint32_t kind)
{
    return kind < JOURNAL_KINDS ? names[kind] : "?";
}
