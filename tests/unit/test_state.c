/*
 * What one master leaves to the next: the text of a state to the letter, how
 * much fits in, and what happens without memory.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "state_fixture.h"

static void check_text(const struct state *state, const char *expected)
{
    size_t len;
    char *good = state_quoted(expected, &len);
    char *text = state_text(state);
    char error[STATE_ERROR_SIZE] = "";
    struct state decoded;

    assert_int_equal(strlen(text), len);
    assert_memory_equal(text, good, len);
    free(text);
    if (state_decode(good, len, STATE_LAYOUTS, &decoded, error) != 0)
        fail_msg("%s", error);
    text = state_text(&decoded);
    assert_int_equal(strlen(text), len);
    assert_memory_equal(text, good, len);
    free(text);
    state_clear(&decoded);
    state_clear(&decoded);
    test_free(good);
}

static void writes_and_reads_to_the_letter(void **state)
{
    (void)state;
    check_text(&state_full, state_full_text);
    check_text(&state_empty, state_empty_text);
}

/* The text says so already; this is for members that both directions confuse alike. */
static void gives_back_what_was_in_it(void **state)
{
    const struct state *full = &state_full;
    char *text = state_text(full);
    char error[STATE_ERROR_SIZE];
    struct state decoded;

    (void)state;
    assert_int_equal(state_decode(text, strlen(text), STATE_LAYOUTS, &decoded, error), 0);
    assert_memory_equal(decoded.uuid, full->uuid, sizeof full->uuid);
    assert_string_equal(decoded.pidfile, full->pidfile);
    assert_int_equal(decoded.n_listeners, full->n_listeners);
    assert_string_equal(decoded.listeners[1].title, full->listeners[1].title);
    assert_true(decoded.listeners[1].device == full->listeners[1].device);
    assert_int_equal(decoded.listeners[3].socket, 1);
    assert_int_equal(decoded.n_workers, full->n_workers);
    assert_int_equal(decoded.workers[0].pid, full->workers[0].pid);
    assert_int_equal(decoded.workers[3].state, SLOT_KILLED);
    assert_true(decoded.workers[1].deadline_ms == INT64_MAX);
    assert_int_equal(decoded.n_deaths, full->n_deaths);
    assert_string_equal(decoded.deaths[0].path, full->deaths[0].path);
    assert_string_equal(decoded.deaths[0].method, full->deaths[0].method);
    assert_int_equal(decoded.listeners[1].purpose, full->listeners[1].purpose);
    assert_int_equal(decoded.log_ring_fd, full->log_ring_fd);
    assert_int_equal(decoded.balancer_fd, full->balancer_fd);
    assert_int_equal(decoded.directory_fd, full->directory_fd);
    assert_int_equal(decoded.n_events, full->n_events);
    assert_int_equal(decoded.events[0].kind, JOURNAL_STOP);
    assert_int_equal(decoded.events[0].generation, full->events[0].generation);
    assert_string_equal(decoded.events[0].text, full->events[0].text);
    assert_true(decoded.events[1].sequence == INT64_MAX);
    state_clear(&decoded);
    free(text);
}

static void refuses_every_truncated_text(void **state)
{
    size_t len;
    char *good = state_quoted(state_full_text, &len);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        char *text = test_malloc(cut > 0 ? cut : 1);

        memcpy(text, good, cut);
        state_check_refused(text, cut, -EBADMSG, NULL);
        test_free(text);
    }
    test_free(good);
}

static void refuses_what_is_no_state(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *error;
    } cases[] = {
        {"[]", -EBADMSG, "not an object"},
        {"{}", -EBADMSG, "version: missing"},
        {"{'version':'1'}", -EBADMSG, "version: not a whole number"},
        {"{'version':1.0}", -EBADMSG, "version: not a whole number"},
        {"{'version':1}", -EBADMSG, "layouts: missing"},
        {"{'version':1,'layouts':null}", -EBADMSG, "layouts: not a whole number"},
        {"{'version':1,'layouts':7}", -EBADMSG, "uuid: missing"},
        {"{'version':2,'layouts':7}", -EBADMSG, "uuid: missing"},
        {"{'version':3,'layouts':7}", -EBADMSG, "uuid: missing"},
        {"{'version':4,'layouts':7}", -EBADMSG, "uuid: missing"},
        {"{'version':5,'layouts':7}", -EBADMSG, "uuid: missing"},
        {"{'version':6}", -EPROTO, "state version 6, this program understands 1 to 5"},
        {"{'version':0,'layouts':7}", -EPROTO, "state version 0, this program understands 1 to 5"},
        {"{'version':-1}", -EPROTO, "state version -1, this program understands 1 to 5"},
        {"{'version':4294967297}", -EPROTO,
         "state version 4294967297, this program understands 1 to 5"},
        {"{'colour':{},'workers':3,'version':6,'layouts':{}}", -EPROTO,
         "state version 6, this program understands 1 to 5"},
        {"{'version':1,'layouts':8}", -EPROTO, "state layouts 8, this program understands 7"},
        {"{'pid':1,'layouts':6,'uuid':0,'version':1}", -EPROTO,
         "state layouts 6, this program understands 7"},
        {"{'version':3,'version':3}", -EBADMSG, NULL},
        {"{'version':3} {}", -EBADMSG, NULL},
        {"{'version':3,}", -EBADMSG, NULL},
        {"{'version':99999999999999999999}", -EBADMSG, NULL},
        {"{'version':3,'x':'\xff'}", -EBADMSG, NULL},
        {"{'version':3,'x':'\\u0000'}", -EBADMSG, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t len;
        char *text = state_quoted(cases[i].text, &len);

        state_check_refused(text, len, cases[i].result, cases[i].error);
        test_free(text);
    }
}

static struct state crowd(size_t n_listeners, size_t n_workers, size_t n_deaths, size_t n_events)
{
    struct state state = state_empty;

    state.scoreboard_places = 8192;
    state.places = 8192;
    state.last_worker = n_workers;
    state.listeners = test_calloc(n_listeners + 1, sizeof *state.listeners);
    for (size_t i = 0; i < n_listeners; i++)
        state.listeners[i] =
            (struct state_listener){.title = state_full.listeners[0].title, .fd = (int)i + 4};
    state.workers = test_calloc(n_workers + 1, sizeof *state.workers);
    for (size_t i = 0; i < n_workers; i++) {
        state.workers[i] = state_full.workers[1];
        state.workers[i].place = (uint32_t)(n_workers - i - 1);
        state.workers[i].worker = i + 1;
        state.workers[i].pid = (pid_t)i + 2;
        state.workers[i].channel_fd = (int)i + 20000;
    }
    state.deaths = test_calloc(n_deaths + 1, sizeof *state.deaths);
    for (size_t i = 0; i < n_deaths; i++)
        state.deaths[i] = state_full.deaths[0];
    state.events = test_calloc(n_events + 1, sizeof *state.events);
    for (size_t i = 0; i < n_events; i++)
        state.events[i] = (struct journal_entry){.sequence = i + 1};
    state.n_listeners = n_listeners;
    state.n_workers = n_workers;
    state.n_deaths = n_deaths;
    state.n_events = n_events;
    return state;
}

static void counts_the_elements(void **state)
{
    static const struct {
        size_t listeners, workers, deaths, events;
        const char *error;
    } cases[] = {
        {16384, 8192, RECORDER_DEATHS, JOURNAL_ENTRIES, NULL},
        {16385, 0, 0, 0, "listeners: 16385 elements, not from 0 to 16384"},
        {0, 8193, 0, 0, "workers: 8193 elements, not from 0 to 8192"},
        {0, 0, RECORDER_DEATHS + 1, 0, "deaths: 65 elements, not from 0 to 64"},
        {0, 0, 0, JOURNAL_ENTRIES + 1, "events: 257 elements, not from 0 to 256"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct state many = crowd(cases[i].listeners, cases[i].workers, cases[i].deaths,
                                  cases[i].events),
                     decoded;
        char error[STATE_ERROR_SIZE];
        char *text = state_text(&many);

        if (cases[i].error != NULL) {
            state_check_refused(text, strlen(text), -EBADMSG, cases[i].error);
        } else {
            assert_int_equal(state_decode(text, strlen(text), STATE_LAYOUTS, &decoded, error), 0);
            assert_int_equal(decoded.n_workers, cases[i].workers);
            assert_int_equal(decoded.workers[8191].pid, 8193);
            assert_int_equal(decoded.events[JOURNAL_ENTRIES - 1].sequence, JOURNAL_ENTRIES);
            state_clear(&decoded);
        }
        test_free(many.listeners);
        test_free(many.workers);
        test_free(many.deaths);
        test_free(many.events);
        free(text);
    }
}

/* Written from what is beyond the ranges, it is a text all the same, and refused. */
static void refuses_a_state_out_of_range(void **state)
{
    struct state wrong = state_empty;
    char *text;

    (void)state;
    wrong.last_worker = (uint64_t)INT64_MAX + 1;
    text = state_text(&wrong);
    state_check_refused(text, strlen(text), -EBADMSG,
                        "last_worker: -9223372036854775808"
                        " is not from 0 to 9223372036854775807");
    free(text);
}

/* --- Without memory --------------------------------------------------------------- */

static int allocations_left;

static void *scarce_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* The n-th allocation of jansson fails, for every n up to the one that is not needed. */
static void encodes_without_memory(void **state)
{
    char *text = NULL;
    int n = 0, r;

    (void)state;
    json_set_alloc_funcs(scarce_malloc, free);
    do {
        allocations_left = n++;
        r = state_encode(&state_full, STATE_LAYOUTS, &text);
        if (r != 0 && (r != -ENOMEM || text != NULL))
            break;
    } while (r != 0);
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(r, 0);
    assert_true(n > 100);
    free(text);
}

/* jansson does not notice every one of these, and finds the text wrong instead. */
static void decodes_without_memory(void **state)
{
    size_t len;
    char *text = state_quoted(state_full_text, &len);
    int refused = 0;

    (void)state;
    json_set_alloc_funcs(scarce_malloc, free);
    for (int n = 0; n < 100; n++) {
        char error[STATE_ERROR_SIZE] = "";
        struct state decoded = {.upgrades = 4711};

        allocations_left = n;
        int r = state_decode(text, len, STATE_LAYOUTS, &decoded, error);
        refused += (r == -ENOMEM || r == -EBADMSG) && error[0] != '\0' && decoded.upgrades == 4711;
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(refused, 100);
    test_free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_to_the_letter),
        cmocka_unit_test(gives_back_what_was_in_it),
        cmocka_unit_test(refuses_every_truncated_text),
        cmocka_unit_test(refuses_what_is_no_state),
        cmocka_unit_test(counts_the_elements),
        cmocka_unit_test(refuses_a_state_out_of_range),
        cmocka_unit_test(encodes_without_memory),
        cmocka_unit_test(decodes_without_memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
