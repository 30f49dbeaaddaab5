#include "config.h"

#include "cluster/chronicle.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"

void chronicle(struct master *master, enum journal_kind kind, const struct slot *slot,
               const char *format, ...)
{
    struct journal_entry entry = {.wall_ms = clock_wall_ms(), .kind = kind};
    va_list args;
    if (slot != NULL) {
        entry.worker = slot->worker;
        entry.slot = slot->number;
        entry.pid = slot->pid;
        entry.generation = slot->generation;
    } else if (master->current != NULL) {
        entry.generation = master->current->number;
    }
    va_start(args, format);
    vsnprintf(entry.text, sizeof entry.text, format, args);
    va_end(args);
    journal_add(&master->journal, &entry);
}
