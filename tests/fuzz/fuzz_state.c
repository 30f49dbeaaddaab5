/*
 * The text that one master leaves to the next, from anybody: it is refused
 * with a reason, or it is a state that survives being written and read.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/purpose.h"
#include "cluster/role.h"
#include "cluster/state.h"

#define LAYOUTS 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Returns whether it is one; the reason of a refusal is a text that ends. */
static bool decode(const char *text, size_t len, struct state *ret_state)
{
    char *error = malloc(STATE_ERROR_SIZE);
    int r;

    check(error != NULL);
    memset(error, 'x', STATE_ERROR_SIZE);
    r = state_decode(text, len, LAYOUTS, ret_state, error);
    check(r == 0 || (error[0] != '\0' && memchr(error, '\0', STATE_ERROR_SIZE) != NULL));
    free(error);
    return r == 0;
}

/* What the next master would do harm with. */
static void check_workers(const struct state *state)
{
    for (size_t i = 0; i < state->n_workers; i++) {
        check(state->workers[i].pid > 1);
        check(state->workers[i].place < state->scoreboard_places);
        check(state->workers[i].number > 0 && state->workers[i].number <= ROLE_NUMBERS);
        check(slot_is_alive(state->workers[i].state));
    }
}

static void check_listeners(const struct state *state)
{
    for (size_t i = 0; i < state->n_listeners; i++) {
        const struct state_listener *listener = &state->listeners[i];

        check(listener->fd > 2 && listener->fd != state->scoreboard_fd);
        check(listener->purpose < PURPOSES);
        check(listener->socket == 0 || (i > 0 && listener[-1].purpose == listener->purpose));
    }
    check(state->log_ring_fd == -1 || state->log_ring_fd > 2);
}

static void check_events(const struct state *state)
{
    check(state->n_events <= JOURNAL_ENTRIES);
    for (size_t i = 0; i < state->n_events; i++) {
        check(state->events[i].sequence > 0 && state->events[i].kind < JOURNAL_KINDS);
        check(state->events[i].slot <= ROLE_NUMBERS);
        check(memchr(state->events[i].text, '\0', JOURNAL_TEXT_SIZE) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state state, again;
    char *first, *second;

    if (!decode((const char *)data, size, &state))
        return 0;
    check_workers(&state);
    check_listeners(&state);
    check_events(&state);
    check(state_encode(&state, LAYOUTS, &first) == 0);
    check(decode(first, strlen(first), &again));
    check(state_encode(&again, LAYOUTS, &second) == 0);
    check(strcmp(first, second) == 0);
    free(first);
    free(second);
    state_clear(&state);
    state_clear(&again);
    return 0;
}
