/*
 * What a state may not hold: one member of a good one is changed, and the
 * refusal says which.
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

#include "cluster/purpose.h"
#include "state_fixture.h"

/* --- The full state with one member changed -------------------------------------- */

struct change {
    const char *list; /* NULL: a member of the state itself */
    size_t index;
    const char *key;   /* NULL: the element itself */
    const char *value; /* with ' for "; NULL: without the member */
    const char *error; /* NULL: fine */
};

static json_t *load(const char *text)
{
    size_t len;
    char *json_text = state_quoted(text, &len);
    json_t *json = json_loadb(json_text, len, JSON_DECODE_ANY, NULL);

    assert_non_null(json);
    test_free(json_text);
    return json;
}

static void apply(json_t *root, const struct change *change)
{
    json_t *list = change->list != NULL ? json_object_get(root, change->list) : NULL;
    json_t *object = list != NULL ? json_array_get(list, change->index) : root;

    assert_non_null(object);
    if (change->key == NULL)
        assert_int_equal(json_array_set_new(list, change->index, load(change->value)), 0);
    else if (change->value == NULL)
        assert_int_equal(json_object_del(object, change->key), 0);
    else
        assert_int_equal(json_object_set_new(object, change->key, load(change->value)), 0);
}

static void check_change(const struct change *change)
{
    json_t *root = load(state_full_text);
    char error[STATE_ERROR_SIZE];
    struct state decoded;
    char *text;

    apply(root, change);
    text = json_dumps(root, 0);
    assert_non_null(text);
    if (change->error != NULL) {
        state_check_refused(text, strlen(text), -EBADMSG, change->error);
    } else {
        if (state_decode(text, strlen(text), STATE_LAYOUTS, &decoded, error) != 0)
            fail_msg("%s: %s", change->value, error);
        state_clear(&decoded);
    }
    free(text);
    json_decref(root);
}

static void check_changes(const struct change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_change(&changes[i]);
}

#define UP_TO_UINT32 " is not from 1 to 4294967295"
#define UP_TO_INT64  " is not from 0 to 9223372036854775807"
#define UP_TO_FD     "from 3 to 1048576"
#define UP_TO_NUMBER " is not from 1 to 1026"

static void keeps_numbers_in_their_ranges(void **state)
{
    static const struct change changes[] = {
        {NULL, 0, "started_ms", "-1", "started_ms: -1" UP_TO_INT64},
        {NULL, 0, "started_ms", "9223372036854775807", NULL},
        {NULL, 0, "generation", "0", "generation: 0" UP_TO_UINT32},
        {NULL, 0, "generation", "4294967296", "generation: 4294967296" UP_TO_UINT32},
        {NULL, 0, "last_worker", "-1", "last_worker: -1" UP_TO_INT64},
        {NULL, 0, "strangers", "-1", "strangers: -1" UP_TO_INT64},
        {NULL, 0, "upgrades", "-1", "upgrades: -1 is not from 0 to 4294967295"},
        {NULL, 0, "scoreboard_fd", "2", "scoreboard_fd: 2 is not " UP_TO_FD},
        {NULL, 0, "scoreboard_fd", "-1", "scoreboard_fd: -1 is not " UP_TO_FD},
        {NULL, 0, "scoreboard_fd", "1048577", "scoreboard_fd: 1048577 is not " UP_TO_FD},
        {NULL, 0, "scoreboard_places", "0", "scoreboard_places: 0 is not from 1 to 8192"},
        {NULL, 0, "scoreboard_places", "8193", "scoreboard_places: 8193 is not from 1 to 8192"},
        {NULL, 0, "scoreboard_places", "8192", NULL},
        {NULL, 0, "places", "-1", "places: -1 is not from 0 to 8192"},
        {NULL, 0, "places", "8193", "places: 8193 is not from 0 to 8192"},
        {NULL, 0, "pidfile_fd", "-2", "pidfile_fd: -2 is neither -1 nor " UP_TO_FD},
        {NULL, 0, "pidfile_fd", "0", "pidfile_fd: 0 is neither -1 nor " UP_TO_FD},
        {"listeners", 1, "fd", "2", "listeners[1].fd: 2 is not " UP_TO_FD},
        {"listeners", 1, "fd", "-1", "listeners[1].fd: -1 is not " UP_TO_FD},
        {"listeners", 1, "socket", "-1", "listeners[1].socket: -1 is not from 0 to 1023"},
        {"listeners", 1, "socket", "1024", "listeners[1].socket: 1024 is not from 0 to 1023"},
        {"workers", 0, "place", "-1", "workers[0].place: -1 is not from 0 to 8191"},
        {"workers", 2, "number", "0", "workers[2].number: 0" UP_TO_NUMBER},
        {"workers", 2, "number", "1027", "workers[2].number: 1027" UP_TO_NUMBER},
        {"workers", 2, "number", "1024", NULL},
        {"workers", 2, "generation", "0", "workers[2].generation: 0" UP_TO_UINT32},
        {"workers", 2, "worker", "0", "workers[2].worker: 0 is not from 1 to 9223372036854775807"},
        {"workers", 3, "pid", "1", "workers[3].pid: 1 is not from 2 to 4194304"},
        {"workers", 3, "pid", "0", "workers[3].pid: 0 is not from 2 to 4194304"},
        {"workers", 3, "pid", "-1", "workers[3].pid: -1 is not from 2 to 4194304"},
        {"workers", 3, "pid", "-4711", "workers[3].pid: -4711 is not from 2 to 4194304"},
        {"workers", 3, "pid", "4194305", "workers[3].pid: 4194305 is not from 2 to 4194304"},
        {"workers", 3, "pid", "4294967298", "workers[3].pid: 4294967298 is not from 2 to 4194304"},
        {"workers", 1, "channel_fd", "2", "workers[1].channel_fd: 2 is neither -1 nor " UP_TO_FD},
        {"workers", 1, "channel_fd", "4294967299",
         "workers[1].channel_fd: 4294967299 is neither -1 nor " UP_TO_FD},
        {"workers", 1, "started_ms", "-1", "workers[1].started_ms: -1" UP_TO_INT64},
        {"workers", 1, "ready_ms", "-1", "workers[1].ready_ms: -1" UP_TO_INT64},
        {"workers", 1, "deadline_ms", "-1", "workers[1].deadline_ms: -1" UP_TO_INT64},
        {"workers", 1, "doom_ms", "-1", "workers[1].doom_ms: -1" UP_TO_INT64},
        {"deaths", 0, "when_ms", "-1", "deaths[0].when_ms: -1" UP_TO_INT64},
        {"deaths", 0, "worker", "0", "deaths[0].worker: 0 is not from 1 to 9223372036854775807"},
        {"deaths", 0, "slot", "0", "deaths[0].slot: 0" UP_TO_NUMBER},
        {"deaths", 0, "slot", "1027", "deaths[0].slot: 1027" UP_TO_NUMBER},
        {"deaths", 0, "generation", "0", "deaths[0].generation: 0" UP_TO_UINT32},
        {"deaths", 0, "pid", "1", "deaths[0].pid: 1 is not from 2 to 4194304"},
        {"deaths", 0, "uptime_ms", "-1", "deaths[0].uptime_ms: -1" UP_TO_INT64},
        {"deaths", 0, "wait_status", "-1", "deaths[0].wait_status: -1 is not from 0 to 2147483647"},
        {"deaths", 0, "max_rss_kb", "-1", "deaths[0].max_rss_kb: -1" UP_TO_INT64},
        {"deaths", 0, "user_ms", "-1", "deaths[0].user_ms: -1" UP_TO_INT64},
        {"deaths", 0, "system_ms", "-1", "deaths[0].system_ms: -1" UP_TO_INT64},
        {"deaths", 0, "heartbeat_age_ms", "-2",
         "deaths[0].heartbeat_age_ms: -2 is neither -1 nor from 0 to 9223372036854775807"},
        {"deaths", 0, "elapsed_ms", "-2",
         "deaths[0].elapsed_ms: -2 is neither -1 nor from 0 to 9223372036854775807"},
        {"listeners", 0, "purpose", "-1", "listeners[0].purpose: -1 is not from 0 to 2"},
        {"listeners", 0, "purpose", "3", "listeners[0].purpose: 3 is not from 0 to 2"},
        {NULL, 0, "log_ring_fd", "-2", "log_ring_fd: -2 is neither -1 nor " UP_TO_FD},
        {NULL, 0, "log_ring_fd", "0", "log_ring_fd: 0 is neither -1 nor " UP_TO_FD},
        {NULL, 0, "log_ring_fd", "-1", NULL},
        {"events", 0, "sequence", "0",
         "events[0].sequence: 0 is not from 1 to 9223372036854775807"},
        {"events", 0, "wall_ms", "-1", "events[0].wall_ms: -1" UP_TO_INT64},
        {"events", 1, "kind", "-1", "events[1].kind: -1 is not from 0 to 18"},
        {"events", 1, "kind", "19", "events[1].kind: 19 is not from 0 to 18"},
        {"events", 1, "worker", "-1", "events[1].worker: -1" UP_TO_INT64},
        {"events", 1, "worker", "0", NULL},
        {"events", 1, "slot", "-1", "events[1].slot: -1 is not from 0 to 1026"},
        {"events", 1, "slot", "1027", "events[1].slot: 1027 is not from 0 to 1026"},
        {"events", 1, "slot", "0", NULL},
        {"events", 1, "pid", "-1", "events[1].pid: -1 is not from 0 to 4194304"},
        {"events", 1, "pid", "0", NULL},
        {"events", 1, "generation", "-1", "events[1].generation: -1 is not from 0 to 4294967295"},
    };

    (void)state;
    check_changes(changes, LENGTH(changes));
}

static void wants_the_right_types(void **state)
{
    static const struct change changes[] = {
        {NULL, 0, "uuid", "3", "uuid: not a text"},
        {NULL, 0, "uuid", "'0123'", "uuid: \"0123\" is no UUID"},
        {NULL, 0, "uuid", "'01234567-89ab-cdef-1032-547698badcfg'",
         "uuid: \"01234567-89ab-cdef-1032-547698badcfg\" is no UUID"},
        {NULL, 0, "uuid", "'01234567-89AB-CDEF-1032-547698BADCFE'", NULL},
        {NULL, 0, "generation", "1.0", "generation: not a whole number"},
        {NULL, 0, "generation", "'1'", "generation: not a whole number"},
        {NULL, 0, "generation", "null", "generation: not a whole number"},
        {NULL, 0, "pidfile_fd", "null", "pidfile_fd: not a whole number"},
        {NULL, 0, "pidfile", "3", "pidfile: not a text"},
        {NULL, 0, "listeners", "{}", "listeners: not a list"},
        {NULL, 0, "workers", "null", "workers: not a list"},
        {NULL, 0, "deaths", "3", "deaths: not a list"},
        {"listeners", 1, NULL, "[]", "listeners[1]: not an object"},
        {"listeners", 1, "title", "null", "listeners[1].title: not a text"},
        {"listeners", 1, "inode", "true", "listeners[1].inode: not a whole number"},
        {"workers", 2, NULL, "null", "workers[2]: not an object"},
        {"workers", 2, "pid", "true", "workers[2].pid: not a whole number"},
        {"workers", 2, "asked", "1", "workers[2].asked: neither true nor false"},
        {"workers", 2, "state", "3", "workers[2].state: not a text"},
        {"workers", 2, "state", "'empty'",
         "workers[2].state: \"empty\" is no state of a living worker"},
        {"workers", 2, "state", "'backoff'",
         "workers[2].state: \"backoff\" is no state of a living worker"},
        {"workers", 2, "state", "''", "workers[2].state: \"\" is no state of a living worker"},
        {"workers", 2, "state", "'starting'", NULL},
        {"deaths", 1, NULL, "'x'", "deaths[1]: not an object"},
        {"deaths", 1, "oom", "null", "deaths[1].oom: neither true nor false"},
        {"deaths", 1, "client", "null", "deaths[1].client: not a text"},
        {NULL, 0, "events", "{}", "events: not a list"},
        {"events", 1, NULL, "3", "events[1]: not an object"},
        {"events", 1, "kind", "'death'", "events[1].kind: not a whole number"},
        {"events", 1, "text", "3", "events[1].text: not a text"},
    };

    (void)state;
    check_changes(changes, LENGTH(changes));
}

static void knows_its_members_and_no_others(void **state)
{
    static const struct change changes[] = {
        {NULL, 0, "colour", "3", "colour: unknown"},
        {NULL, 0, "Uuid", "3", "Uuid: unknown"},
        {NULL, 0, "", "3", ": unknown"},
        {NULL, 0, "pidfile", NULL, "pidfile: missing"},
        {NULL, 0, "deaths", NULL, "deaths: missing"},
        {"listeners", 1, "pid", "3", "listeners[1].pid: unknown"},
        {"listeners", 0, "inode", NULL, "listeners[0].inode: missing"},
        {"listeners", 0, "socket", NULL, "listeners[0].socket: missing"},
        {"workers", 3, "killed_for", "''", "workers[3].killed_for: unknown"},
        {"workers", 3, "chaos", NULL, "workers[3].chaos: missing"},
        {"deaths", 2, "version", "1", "deaths[2].version: unknown"},
        {"deaths", 2, "poison", NULL, "deaths[2].poison: missing"},
        {"listeners", 0, "purpose", NULL, "listeners[0].purpose: missing"},
        {NULL, 0, "log_ring_fd", NULL, "log_ring_fd: missing"},
        {NULL, 0, "events", NULL, "events: missing"},
        {NULL, 0, "balancer_fd", NULL, "balancer_fd: missing"},
        {NULL, 0, "directory_fd", NULL, "directory_fd: missing"},
        {"events", 0, "role", "'worker'", "events[0].role: unknown"},
        {"events", 0, "text", NULL, "events[0].text: missing"},
        {"workers", 0, "0123456789012345678901234567890123456789012345678901234567890123456789",
         "1",
         "workers[0].0123456789012345678901234567890123456789012345678901234567890123: unknown"},
    };

    (void)state;
    check_changes(changes, LENGTH(changes));
}

/* Without the members that came after that version. */
static json_t *load_older(int version)
{
    static const struct {
        int since;
        struct change change;
    } later[] = {
        {2, {"listeners", 0, "socket", NULL, NULL}},  {2, {"listeners", 1, "socket", NULL, NULL}},
        {2, {"listeners", 2, "socket", NULL, NULL}},  {2, {"listeners", 3, "socket", NULL, NULL}},
        {3, {"listeners", 0, "purpose", NULL, NULL}}, {3, {"listeners", 1, "purpose", NULL, NULL}},
        {3, {"listeners", 2, "purpose", NULL, NULL}}, {3, {"listeners", 3, "purpose", NULL, NULL}},
        {3, {NULL, 0, "log_ring_fd", NULL, NULL}},    {3, {NULL, 0, "events", NULL, NULL}},
        {4, {NULL, 0, "balancer_fd", NULL, NULL}},    {5, {NULL, 0, "directory_fd", NULL, NULL}},
    };
    json_t *root = load(state_full_text);

    assert_int_equal(json_object_set_new(root, "version", json_integer(version)), 0);
    for (size_t i = 0; i < LENGTH(later); i++)
        if (later[i].since > version)
            apply(root, &later[i].change);
    return root;
}

/* Version 1 had one socket for each address, version 2 only listeners for clients, 3 no balancer,
 * 4 no directory. */
static void reads_the_layouts_before(void **state)
{
    (void)state;
    for (int version = 1; version < STATE_VERSION; version++) {
        json_t *root = load_older(version);
        char error[STATE_ERROR_SIZE];
        struct state decoded;
        char *text = json_dumps(root, 0);

        assert_non_null(text);
        if (state_decode(text, strlen(text), STATE_LAYOUTS, &decoded, error) != 0)
            fail_msg("version %d: %s", version, error);
        assert_int_equal(decoded.n_listeners, 4);
        assert_int_equal(decoded.listeners[3].fd, 11);
        assert_int_equal(decoded.listeners[3].socket, version == 1 ? 0 : 1);
        assert_int_equal(decoded.listeners[1].purpose,
                         version < 3 ? PURPOSE_CLIENTS : PURPOSE_CONTROL);
        assert_int_equal(decoded.n_workers, 4);
        assert_int_equal(decoded.n_events, version < 3 ? 0 : 2);
        assert_int_equal(decoded.log_ring_fd, version < 3 ? -1 : 12);
        assert_int_equal(decoded.balancer_fd, version < 4 ? -1 : 13);
        assert_int_equal(decoded.directory_fd, -1);
        state_clear(&decoded);
        free(text);
        json_decref(root);
    }
}

/* What a version does not have is unknown to it. */
static void older_layouts_have_no_newer_members(void **state)
{
    static const struct {
        int version;
        struct change change;
    } cases[] = {
        {1, {"listeners", 0, "socket", "0", "listeners[0].socket: unknown"}},
        {1, {"listeners", 0, "purpose", "0", "listeners[0].purpose: unknown"}},
        {2, {"listeners", 2, "purpose", "0", "listeners[2].purpose: unknown"}},
        {2, {NULL, 0, "log_ring_fd", "-1", "log_ring_fd: unknown"}},
        {2, {NULL, 0, "events", "[]", "events: unknown"}},
        {3, {NULL, 0, "balancer_fd", "-1", "balancer_fd: unknown"}},
        {4, {NULL, 0, "directory_fd", "-1", "directory_fd: unknown"}},
        {2, {"listeners", 2, "socket", NULL, "listeners[2].socket: missing"}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        json_t *root = load_older(cases[i].version);
        char *text;

        apply(root, &cases[i].change);
        text = json_dumps(root, 0);
        assert_non_null(text);
        state_check_refused(text, strlen(text), -EBADMSG, cases[i].change.error);
        free(text);
        json_decref(root);
    }
}

static void refuses_what_does_not_fit_together(void **state)
{
    static const struct change changes[] = {
        {NULL, 0, "pidfile", "null", "pidfile: null, but pidfile_fd is 5"},
        {NULL, 0, "pidfile_fd", "-1", "pidfile: a path, but pidfile_fd is -1"},
        {NULL, 0, "pidfile_fd", "3", "pidfile_fd: 3 is scoreboard_fd already"},
        {NULL, 0, "places", "3", "workers[0].place: 3 is not below places, 3"},
        {NULL, 0, "places", "5", "places: 5 is more than scoreboard_places, 4"},
        {NULL, 0, "last_worker", "53",
         "workers[1].worker: 9223372036854775807 is beyond last_worker, 53"},
        {"listeners", 0, "fd", "3", "listeners[0].fd: 3 is scoreboard_fd already"},
        {"listeners", 0, "fd", "5", "listeners[0].fd: 5 is pidfile_fd already"},
        {"listeners", 0, "fd", "7", "listeners[1].fd: 7 is listeners[0].fd already"},
        {"listeners", 0, "fd", "10", "workers[3].channel_fd: 10 is listeners[0].fd already"},
        {"listeners", 0, "socket", "1",
         "listeners[0].socket: 1, but socket 0 of that title is not right before"},
        {"listeners", 1, "socket", "1",
         "listeners[1].socket: 1, but socket 0 of that title is not right before"},
        {"listeners", 3, "socket", "2",
         "listeners[3].socket: 2, but socket 1 of that title is not right before"},
        {"listeners", 3, "socket", "0", NULL},
        {"listeners", 3, "purpose", "1",
         "listeners[3].socket: 1, but socket 0 of that title is not right before"},
        {NULL, 0, "log_ring_fd", "3", "log_ring_fd: 3 is scoreboard_fd already"},
        {NULL, 0, "balancer_fd", "12", "balancer_fd: 12 is log_ring_fd already"},
        {NULL, 0, "balancer_fd", "-1", NULL},
        {NULL, 0, "directory_fd", "13", "directory_fd: 13 is balancer_fd already"},
        {NULL, 0, "log_ring_fd", "11", "log_ring_fd: 11 is listeners[3].fd already"},
        {"workers", 3, "channel_fd", "3", "workers[3].channel_fd: 3 is scoreboard_fd already"},
        {"workers", 3, "channel_fd", "5", "workers[3].channel_fd: 5 is pidfile_fd already"},
        {"workers", 3, "channel_fd", "8",
         "workers[3].channel_fd: 8 is workers[0].channel_fd already"},
        {"workers", 3, "channel_fd", "-1", NULL},
        {"workers", 1, "place", "4", "workers[1].place: 4 is not below places, 4"},
        {"workers", 3, "place", "0", "workers[3].place: 0 is workers[1].place already"},
        {"workers", 1, "pid", "103", "workers[3].pid: 103 is workers[1].pid already"},
        {"workers", 3, "worker", "50", "workers[3].worker: 50 is workers[0].worker already"},
        {"workers", 3, "number", "1", NULL},
        {"workers", 0, "candidate", "true",
         "workers[0].candidate: true, but the worker is leaving"},
        {"workers", 1, "leaving", "true", "workers[1].candidate: true, but the worker is leaving"},
        {"deaths", 0, "pid", "103", NULL},
        {"deaths", 0, "worker", "50", NULL},
        {"events", 0, "pid", "103", NULL},
        {"events", 0, "worker", "50", NULL},
    };

    (void)state;
    check_changes(changes, LENGTH(changes));
}

/* --- Texts and lists at the edge of their lengths --------------------------------- */

static void keeps_texts_whole(void **state)
{
    static const struct {
        const char *list;
        const char *key;
        size_t min;
        size_t max;
    } texts[] = {
        {NULL, "pidfile", 1, 4095}, {"listeners", "title", 1, 256}, {"deaths", "method", 0, 15},
        {"deaths", "path", 0, 128}, {"deaths", "client", 0, 55},    {"deaths", "killed_for", 0, 63},
        {"events", "text", 0, 191},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        size_t lengths[] = {0, texts[i].max, texts[i].max + 1};

        for (size_t j = 0; j < LENGTH(lengths); j++) {
            char value[8192] = "'", error[STATE_ERROR_SIZE];
            struct change change = {texts[i].list, 0, texts[i].key, value, NULL};

            for (size_t n = 0; n < lengths[j]; n++) /* two bytes of JSON are one of ours */
                strcpy(value + strlen(value), n % 2 == 0 ? "x" : "\xc3\xa4");
            strcpy(value + strlen(value), "'");
            (void)snprintf(error, sizeof error, "%s%s%s: %zu bytes, not from %zu to %zu",
                           texts[i].list != NULL ? texts[i].list : "",
                           texts[i].list != NULL ? "[0]." : "", texts[i].key, lengths[j],
                           texts[i].min, texts[i].max);
            if (lengths[j] < texts[i].min || lengths[j] > texts[i].max)
                change.error = error;
            check_change(&change);
        }
    }
}

static void refuses_characters(void **state)
{
#define CONTROL        "listeners[0].title: has a control character"
#define NO_BYTE(place) place ": has a character beyond U+00FF, which is no byte"
    static const struct change changes[] = {
        {"listeners", 0, "title", "'a\\nb'", CONTROL},
        {"listeners", 0, "title", "'\\u0001'", CONTROL},
        {"listeners", 0, "title", "'a\\u001f'", CONTROL},
        {"listeners", 0, "title", "'\\u007f'", CONTROL},
        {"listeners", 0, "title", "' ~\\u0080\\u00ff'", NULL},
        {"listeners", 0, "title", "'\\u0100'", NO_BYTE("listeners[0].title")},
        {"deaths", 0, "path", "'\\ud83d\\ude00'", NO_BYTE("deaths[0].path")},
        {"deaths", 0, "path", "'\\u0001\\u007f\\u00ff'", NULL},
        {NULL, 0, "pidfile", "'/\\u20ac'", NO_BYTE("pidfile")},
        {"events", 0, "text", "'\\u0001\\u00ff'", NULL},
        {"events", 0, "text", "'\\u20ac'", NO_BYTE("events[0].text")},
    };

    (void)state;
    check_changes(changes, LENGTH(changes));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_numbers_in_their_ranges),
        cmocka_unit_test(wants_the_right_types),
        cmocka_unit_test(knows_its_members_and_no_others),
        cmocka_unit_test(reads_the_layouts_before),
        cmocka_unit_test(older_layouts_have_no_newer_members),
        cmocka_unit_test(refuses_what_does_not_fit_together),
        cmocka_unit_test(keeps_texts_whole),
        cmocka_unit_test(refuses_characters),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
