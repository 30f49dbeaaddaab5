/* Bodies of orders (admin/order_body.h), and events kept for those who come back (event_ring.h). */
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

#include "admin/event_ring.h"
#include "admin/order_body.h"

static void bodies_become_arguments(void **state)
{
    static const struct {
        const char *command;
        const char *body;
        const char *arguments;
    } rows[] = {
        {"restart", "", "{}"},
        {"restart", "{}", "{}"},
        {"restart", "{\"slot\":3}", "{\"slot\":3}"},
        {"restart", " {\"slot\": \"admin\"}\n", "{\"slot\":\"admin\"}"},
        {"restart", "{\"slot\":\"herald\"}", "{\"slot\":\"herald\"}"},
        {"scale", "{\"to\":0}", "{\"to\":0}"},
        {"scale", "{\"by\":-2}", "{\"by\":-2}"},
        {"kill", "{\"slot\":1}", "{\"chaos\":true,\"signal\":\"KILL\",\"slot\":1}"},
        {"kill", "{\"slot\":\"admin\",\"signal\":\"SEGV\"}",
         "{\"chaos\":true,\"signal\":\"SEGV\",\"slot\":\"admin\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *arguments;
        const char *why = NULL;
        if (order_body_read(rows[i].command, rows[i].body, strlen(rows[i].body), &arguments,
                            &why) != 0)
            fail_msg("%s %s: %s", rows[i].command, rows[i].body, why);
        char *text = json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(text, rows[i].arguments);
        free(text);
        json_decref(arguments);
    }
}

static void others_are_refused(void **state)
{
#define NO_OBJECT "the body is not a JSON object"
#define UNKNOWN   "the body has a member that this order does not know"
#define SLOT      "slot is the number of a slot, \"admin\" or \"herald\""
    static const struct {
        const char *command;
        const char *body;
        const char *why;
    } rows[] = {
        {"restart", "[]", NO_OBJECT},
        {"restart", "null", NO_OBJECT},
        {"restart", "{", NO_OBJECT},
        {"restart", "{} {}", NO_OBJECT},
        {"restart", "slot=3", NO_OBJECT},
        {"restart", "{\"slot\":1,\"slot\":2}", NO_OBJECT},
        {"restart", "{\"slot\":0}", SLOT},
        {"restart", "{\"slot\":-1}", SLOT},
        {"restart", "{\"slot\":1.5}", SLOT},
        {"restart", "{\"slot\":\"1\"}", SLOT},
        {"restart", "{\"slot\":null}", SLOT},
        {"restart", "{\"slot\":true}", SLOT},
        {"restart", "{\"id\":1}", UNKNOWN},
        {"restart", "{\"command\":\"stop\"}", UNKNOWN},
        {"restart", "{\"to\":1}", UNKNOWN},
        {"scale", "", "scale takes either to or by"},
        {"scale", "{\"to\":1,\"by\":1}", "scale takes either to or by"},
        {"scale", "{\"to\":-1}", "to is a whole number, 0 or more"},
        {"scale", "{\"by\":\"1\"}", "by is a whole number"},
        {"scale", "{\"to\":1e3}", "to is a whole number, 0 or more"},
        {"kill", "", "kill takes a slot"},
        {"kill", "{\"signal\":\"KILL\"}", "kill takes a slot"},
        {"kill", "{\"slot\":1,\"signal\":9}", "signal is the name of a signal, such as \"KILL\""},
        {"kill", "{\"slot\":1,\"signal\":\"\"}",
         "signal is the name of a signal, such as \"KILL\""},
        {"kill", "{\"slot\":1,\"signal\":\"SIGSIGSIGSIGSIGSIGSIGSIGSIGSIGSIG\"}",
         "signal is the name of a signal, such as \"KILL\""},
        {"kill", "{\"slot\":1,\"chaos\":false}", UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *arguments = NULL;
        const char *why = "";
        assert_int_equal(
            order_body_read(rows[i].command, rows[i].body, strlen(rows[i].body), &arguments, &why),
            -EINVAL);
        assert_string_equal(why, rows[i].why);
        assert_null(arguments);
    }
}

static void add(struct event_ring *ring, uint64_t seq)
{
    json_t *event = json_pack("{sIss}", "seq", (json_int_t)seq, "text", "a\nb");

    (void)event_ring_add(ring, event);
    json_decref(event);
}

/* The numbers of the events that a client gets. */
static void assert_replayed(const struct event_ring *ring, uint64_t seen, uint64_t first,
                            uint64_t last)
{
    struct bytes text = {.at = NULL}, wanted = {.at = NULL};
    char block[128];

    bytes_add_text(&wanted, "");
    bytes_add_text(&text, "");
    for (uint64_t seq = first; seq <= last; seq++) {
        snprintf(block, sizeof block,
                 "event: event\nid: %u\ndata: {\"seq\":%u,\"text\":\"a\\nb\"}\n\n", (unsigned)seq,
                 (unsigned)seq);
        bytes_add_text(&wanted, block);
    }
    event_ring_replay(ring, seen, 3, &text);
    assert_string_equal(text.at, wanted.at);
    bytes_free(&text);
    bytes_free(&wanted);
}

static void who_comes_back_gets_what_was_missed(void **state)
{
    static struct event_ring ring;

    (void)state;
    assert_replayed(&ring, 0, 1, 0);
    assert_replayed(&ring, 7, 1, 0);
    for (uint64_t seq = 1; seq <= 10; seq++)
        add(&ring, seq);
    assert_replayed(&ring, 0, 8, 10);    /* nothing seen: the last three */
    assert_replayed(&ring, 2, 3, 10);    /* two seen */
    assert_replayed(&ring, 10, 1, 0);    /* all seen */
    assert_replayed(&ring, 4711, 8, 10); /* seen elsewhere */
    add(&ring, 10);
    add(&ring, 0);
    assert_replayed(&ring, 9, 10, 10); /* what does not rise is no event */
    event_ring_clear(&ring);
    assert_replayed(&ring, 2, 1, 0);
}

static void the_oldest_go_first(void **state)
{
    static struct event_ring ring;

    (void)state;
    for (uint64_t seq = 1; seq <= EVENT_RING_SIZE + 20; seq++)
        add(&ring, seq);
    assert_replayed(&ring, 1, 21, EVENT_RING_SIZE + 20);
    assert_replayed(&ring, 0, EVENT_RING_SIZE + 18, EVENT_RING_SIZE + 20);
    event_ring_clear(&ring);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_become_arguments),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(who_comes_back_gets_what_was_missed),
        cmocka_unit_test(the_oldest_go_first),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
