#include "config.h"

#include "ipc/scoreboard.h"

#include <errno.h>
#include <stdlib.h>

#include "ipc/scoreboard_state.h"

static size_t bytes_of(size_t n_slots)
{
    return sizeof(struct board) + n_slots * sizeof(struct scoreboard_slot);
}

static int allocate(size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard = calloc(1, sizeof *scoreboard);
    if (scoreboard == NULL)
        return -ENOMEM;
    scoreboard->memory.fd = -1;
    scoreboard->n_slots = n_slots;
    *ret_scoreboard = scoreboard;
    return 0;
}

/* The memory is there, or is not. */
static int finish(struct scoreboard *scoreboard, int err, struct scoreboard **ret_scoreboard)
{
    if (err != 0) {
        free(scoreboard);
        return err;
    }
    scoreboard->board = scoreboard->memory.at;
    *ret_scoreboard = scoreboard;
    return 0;
}

int scoreboard_new(size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard;
    int err = allocate(n_slots, &scoreboard);
    if (err != 0)
        return err;
    err = shared_memory_new("zombie-scoreboard", bytes_of(n_slots), &scoreboard->memory);
    return finish(scoreboard, err, ret_scoreboard);
}

int scoreboard_adopt(int fd, size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard;
    int err = allocate(n_slots, &scoreboard);
    if (err != 0)
        return err;
    err = shared_memory_adopt(fd, bytes_of(n_slots), &scoreboard->memory);
    return finish(scoreboard, err, ret_scoreboard);
}

int scoreboard_fd(const struct scoreboard *scoreboard)
{
    return scoreboard->memory.fd;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
    if (scoreboard == NULL)
        return;
    shared_memory_clear(&scoreboard->memory);
    free(scoreboard);
}

struct scoreboard_slot *scoreboard_at(struct scoreboard *scoreboard, size_t i)
{
    return &scoreboard->board->slots[i];
}

size_t scoreboard_size(const struct scoreboard *scoreboard)
{
    return scoreboard->n_slots;
}
