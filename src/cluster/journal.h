/*
 * What has happened to the instance, the last entries of it, for those who look
 * later or look on. The log has more words; here each entry is data. Pure.
 */
#ifndef ZOMBIE_CLUSTER_JOURNAL_H
#define ZOMBIE_CLUSTER_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

/* How many entries are kept. */
#define JOURNAL_ENTRIES 256

/* Longer texts are cut. */
#define JOURNAL_TEXT_SIZE 192

enum journal_kind {
    JOURNAL_START,
    JOURNAL_UPGRADE,
    JOURNAL_BIRTH,
    JOURNAL_READY,
    JOURNAL_LEAVING,
    JOURNAL_DEATH,
    JOURNAL_POISON,
    JOURNAL_CHAOS,
    JOURNAL_RELOAD,
    JOURNAL_RELOADED,
    JOURNAL_RELOAD_FAILED,
    JOURNAL_UPGRADE_FAILED,
    JOURNAL_SCALE,
    JOURNAL_PAUSE,
    JOURNAL_CRASH_LOOP,
    JOURNAL_RECOVERED,
    JOURNAL_ORDER,
    JOURNAL_STOP,
    JOURNAL_UPSTREAM,
    JOURNAL_KINDS
};

struct journal_entry {
    uint64_t sequence; /* 1, 2, ...: set by journal_add() */
    int64_t wall_ms;   /* since 1970 */
    uint32_t kind;     /* enum journal_kind */
    uint64_t worker;   /* 0: it is about nobody in particular */
    uint32_t slot;     /* its number, 0 likewise */
    int64_t pid;       /* 0 likewise */
    uint32_t generation;
    char text[JOURNAL_TEXT_SIZE];
};

struct journal {
    struct journal_entry entries[JOURNAL_ENTRIES];
    uint64_t added; /* ever */
};

/* Keep a copy, in place of the oldest when there are many. */
void journal_add(struct journal *journal, const struct journal_entry *entry);

/* The entry with this sequence, or the oldest one after it that is kept; NULL: none yet. */
const struct journal_entry *journal_from(const struct journal *journal, uint64_t sequence);

/* "start", "reload-failed", ... */
const char *journal_kind_name(uint32_t kind);

#endif
