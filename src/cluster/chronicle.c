#include "config.h"

#include "cluster/chronicle.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "cluster/generation.h"
#include "cluster/master_state.h"

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void chronicle(struct master *master, enum journal_kind kind, const struct slot *slot,
               const char *format, ...)
{
    struct journal_entry entry = {.wall_ms = wall_ms(), .kind = kind};
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
