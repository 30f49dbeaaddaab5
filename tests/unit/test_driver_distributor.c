/*
 * The driver for Distributors against a peer that says what it likes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "distributor_fixture.h"

#define END "\xc2\xb6"
#define POST                                                                             \
    "{\"uri\":\"/distributes\",\"method\":\"POST\",\"key\":0,\"params\":{\"port\":3000," \
    "\"name\":\"app\",\"urls\":[\"GET/a\"]}}" END
#define GET(key) "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":" key "}" END
#define LIST(key, nodes) \
    "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":" key ",\"params\":[" nodes "]}" END
#define NODE(name, port, host) \
    "{\"port\":" port ",\"name\":\"" name "\",\"urls\":[],\"host\":\"" host "\"}"
#define US    NODE("app", "3000", "10.0.0.1")
#define OTHER NODE("api", "80", "10.0.0.2")

#define DONE   "done 0 |"
#define BROKEN "broken 2 "
#define SILENT "lost api 2 it gives its list to nobody who is not registered|"

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_free(*state);
    return 0;
}

/* Open, and be listed; the peer answers GET. */
static void be_listed(struct fixture *fixture)
{
    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_expect(fixture, POST GET("1"));
    fixture_say(fixture, LIST("1", US));
    fixture_await(fixture, DONE);
}

/* --- Registering --------------------------------------------------------------------------- */

static void is_not_listed_before_up(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_STARTING);
    fixture_await(fixture, DONE);
    fixture_expect(fixture, GET("1"));
    fixture_begin(fixture, DRIVER_HEARTBEAT, DRIVER_STARTING);
    fixture_await(fixture, DONE);
    fixture_begin(fixture, DRIVER_REPORT, DRIVER_UP);
    fixture_expect(fixture, POST GET("2"));
    assert_true(fixture_is_quiet(fixture));
    fixture_say(fixture, LIST("0", OTHER "," US));
    fixture_await(fixture, DONE);
}

static void is_registered_once_it_is_listed(void **state)
{
    static const char *const others[] = {
        LIST("0", ""),
        LIST("1", OTHER),
        LIST("1", NODE("app", "3001", "10.0.0.1")),
        LIST("1", NODE("api", "3000", "10.0.0.1")),
        "{\"uri\":\"/else\",\"method\":\"GET\",\"key\":0,\"params\":[" US "]}" END,
        "{\"uri\":\"/distributes\",\"method\":\"POST\",\"key\":0,\"params\":" US "}" END,
        END END,
    };
    struct fixture *fixture = *state;

    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_expect(fixture, POST GET("1"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fixture_say(fixture, others[i]);
        assert_true(fixture_is_quiet(fixture));
    }
    fixture_say(fixture, LIST("0", NODE("app", "\"3000\"", "::ffff:10.9.9.9")));
    fixture_await(fixture, DONE);
    fixture_begin(fixture, DRIVER_HEARTBEAT, DRIVER_UP);
    fixture_await(fixture, DONE);
}

/* Which may change nothing, so that only the GET brings a list. */
static void can_be_registered_again(void **state)
{
    struct fixture *fixture = *state;

    be_listed(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_expect(fixture, POST GET("2"));
    assert_true(fixture_is_quiet(fixture));
    fixture_say(fixture, LIST("2", US));
    fixture_await(fixture, DONE);
}

static void goes_down_by_another_connection(void **state)
{
    struct fixture *fixture = *state;

    be_listed(fixture);
    fixture_begin(fixture, DRIVER_REPORT, DRIVER_DOWN);
    fixture_expect_end(fixture);
    fixture_accept(fixture);
    fixture_expect(fixture, GET("2"));
    fixture_await(fixture, DONE);
    fixture_begin(fixture, DRIVER_REPORT, DRIVER_UP);
    fixture_expect(fixture, POST GET("3"));
    fixture_say(fixture, LIST("3", US));
    fixture_await(fixture, DONE);
}

static void deregisters_by_its_end(void **state)
{
    struct fixture *fixture = *state;

    be_listed(fixture);
    fixture_begin(fixture, DRIVER_DEREGISTER, DRIVER_DOWN);
    fixture_expect_end(fixture);
    fixture_await(fixture, DONE);
    assert_true(fixture_is_quiet(fixture));
}

/* --- Lists --------------------------------------------------------------------------------- */

static void finds_members(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture);
    driver_distributor.follow(fixture->session, "api");
    driver_distributor.follow(fixture->session, "none");
    fixture_expect(fixture, GET("1"));
    fixture_say(fixture, LIST("1", US "," OTHER "," NODE("api", "81", "::1") ",{}," NODE(
                                       "api", "82", "bad host")));
    fixture_await(fixture, "found api 10.0.0.2:80=10.0.0.2:80 [::1]:81=::1:81|found none|");
    fixture_say(fixture, LIST("0", ""));
    fixture_await(fixture, "found api|found none|");
    driver_distributor.follow(fixture->session, "app");
    fixture_await(fixture, "found app|");
    fixture_say(fixture, LIST("0", US));
    fixture_await(fixture, "found api|found none|found app 10.0.0.1:3000=10.0.0.1:3000|");
}

static void asks_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture->conf.refresh_ms = 1;
    fixture_open(fixture);
    driver_distributor.follow(fixture->session, "api");
    fixture_expect(fixture, GET("1"));
    fixture_say(fixture, LIST("1", ""));
    fixture_await(fixture, "found api|");
    fixture_expect(fixture, GET("2"));
    fixture_say(fixture, LIST("2", OTHER));
    fixture_await(fixture, "found api 10.0.0.2:80=10.0.0.2:80|");
    fixture_expect(fixture, GET("3"));
}

static void reads_split_frames(void **state)
{
    static const char lists[] = LIST("0", NODE("app", "3000", "10.0.0.1")) LIST("0", OTHER);
    struct fixture *fixture = *state;

    fixture_open(fixture);
    driver_distributor.follow(fixture->session, "api");
    fixture_expect(fixture, GET("1"));
    fixture_send(fixture, lists, sizeof lists - 1, 1);
    fixture_await(fixture, "found api|found api 10.0.0.2:80=10.0.0.2:80|");
}

#define LONG 2000

/* A list of so many nodes, the last of which is us. */
static char *long_list(size_t n)
{
    static const char each[] = NODE("api", "80", "10.0.%zu.%zu") ",";
    char *text = malloc(256 + n * (sizeof each + 8));
    size_t len = (size_t)sprintf(text, "{\"uri\":\"/distributes\",\"method\":\"GET\","
                                       "\"key\":0,\"params\":[");

    for (size_t i = 0; i < n; i++)
        len += (size_t)sprintf(text + len, each, i / 250, i % 250);
    strcpy(text + len, US "]}" END);
    return text;
}

static void reads_long_lists(void **state)
{
    struct fixture *fixture = *state;
    char *list = long_list(LONG), wanted[64];

    assert_true(strlen(list) > 96 << 10);
    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    driver_distributor.follow(fixture->session, "api");
    fixture_expect(fixture, POST GET("1"));
    fixture_send(fixture, list, strlen(list), 1460);
    snprintf(wanted, sizeof wanted, DONE "found api %d|", LONG);
    fixture_await(fixture, wanted);
    free(list);
}

static void go_down(struct fixture *fixture)
{
    fixture_begin(fixture, DRIVER_REPORT, DRIVER_DOWN);
}

/* Whatever is done in a callback, in the middle of two lists. */
static void may_change_from_within(void **state)
{
    struct fixture *fixture = *state;

    be_listed(fixture);
    driver_distributor.follow(fixture->session, "api");
    fixture_await(fixture, "found api|");
    fixture->on_found = go_down;
    fixture_say(fixture, LIST("0", OTHER) LIST("0", ""));
    fixture_await(fixture, "found api 10.0.0.2:80=10.0.0.2:80|" DONE);
    fixture_accept(fixture);
    fixture_expect(fixture, GET("2"));
    fixture_say(fixture, LIST("2", ""));
    fixture_await(fixture, "found api|");
}

/* --- Peers that answer no GET --------------------------------------------------------------- */

static void loses_services_of_who_answers_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->conf.timeout_ms = 1;
    fixture_open(fixture);
    driver_distributor.follow(fixture->session, "api");
    fixture_await(fixture, SILENT);
    fixture_begin(fixture, DRIVER_HEARTBEAT, DRIVER_STARTING);
    fixture_await(fixture, DONE);
    fixture_say(fixture, LIST("0", OTHER));
    assert_true(fixture_is_quiet(fixture));
    driver_distributor.follow(fixture->session, "api");
    fixture_await(fixture, "found api 10.0.0.2:80=10.0.0.2:80|");
}

static void stays_with_who_answers_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    driver_distributor.follow(fixture->session, "api");
    fixture_expect(fixture, POST GET("1"));
    fixture_say(fixture, LIST("0", US));
    fixture_await(fixture, DONE "found api|");
    fixture->conf.timeout_ms = fixture->conf.refresh_ms = 1;
    fixture_say(fixture, LIST("0", US));
    fixture_await(fixture, "found api|");
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_expect(fixture, POST GET("2"));
    fixture_say(fixture, LIST("0", US));
    fixture_await(fixture, DONE "found api|");
    fixture_expect(fixture, GET("3") GET("4"));
    assert_true(fixture_is_quiet(fixture));
}

/* --- The end ------------------------------------------------------------------------------- */

static void breaks_when_nobody_listens(void **state)
{
    struct fixture *fixture = *state;
    int taken = fixture->listener;

    /* Bound, and not listening: nobody else gets the port. */
    fixture->listener = fixture_bind(&fixture->url.port);
    close(taken);
    fixture_open_only(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_await(fixture, BROKEN "Connection refused|");
    assert_true(fixture_is_quiet(fixture));
}

static void breaks_with_the_connection(void **state)
{
    static const char *const last[] = {"", "{\"uri\":\"/distr", LIST("0", OTHER) "{"};
    static const char *const noted[] = {"", "", "found api 10.0.0.2:80=10.0.0.2:80|"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
        char wanted[256];

        be_listed(fixture);
        driver_distributor.follow(fixture->session, "api");
        fixture_await(fixture, "found api|");
        fixture_say(fixture, last[i]);
        shutdown(fixture->peer, SHUT_WR);
        snprintf(wanted, sizeof wanted, "%s" BROKEN "it has closed the connection|", noted[i]);
        fixture_await(fixture, wanted);
        assert_true(fixture_is_quiet(fixture));
        driver_distributor.close(fixture->session);
        fixture->session = NULL;
    }
}

static void breaks_by_what_makes_no_sense(void **state)
{
    static const struct {
        const char *said, *why;
    } rows[] = {
        {"hello" END, "no JSON"},
        {"null" END, "no JSON object"},
        {"{}" END, "no message: no uri or no method"},
        {"{\"uri\":\"/distributes\",\"method\":\"GET\"}" END, "params are no list"},
        {"\xff", "its message is no UTF-8"},
        {LIST("0", "\"" END "\""), "no JSON"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[128];

        fixture_open(fixture);
        fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
        fixture_expect(fixture, POST GET("1"));
        fixture_say(fixture, rows[i].said);
        snprintf(wanted, sizeof wanted, BROKEN "%s|", rows[i].why);
        fixture_await(fixture, wanted);
        assert_true(fixture_is_quiet(fixture));
        driver_distributor.close(fixture->session);
        fixture->session = NULL;
    }
}

static void breaks_when_a_message_has_no_end(void **state)
{
    struct fixture *fixture = *state;
    size_t len = DRIVER_ANSWER_MAX + (1 << 16);
    char *endless = malloc(len);

    memset(endless, ' ', len);
    fixture_open(fixture);
    fixture_expect(fixture, GET("1"));
    fixture_send(fixture, endless, len, 0);
    fixture_await(fixture, BROKEN "its message is too long|");
    free(endless);
}

static void breaks_when_nothing_comes_in_time(void **state)
{
    struct fixture *fixture = *state;

    fixture->conf.timeout_ms = 1;
    fixture_open(fixture);
    fixture_begin(fixture, DRIVER_REGISTER, DRIVER_UP);
    fixture_await(fixture, BROKEN "it did not list the instance in time|");
    fixture_expect_end(fixture);
}

static void breaks_when_who_has_answered_is_silent(void **state)
{
    struct fixture *fixture = *state;

    be_listed(fixture);
    fixture->conf.timeout_ms = fixture->conf.refresh_ms = 1;
    fixture_say(fixture, LIST("0", US));
    fixture_await(fixture, BROKEN "it did not answer in time|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(is_not_listed_before_up),
        TEST(is_registered_once_it_is_listed),
        TEST(can_be_registered_again),
        TEST(goes_down_by_another_connection),
        TEST(deregisters_by_its_end),
        TEST(finds_members),
        TEST(asks_anew),
        TEST(reads_split_frames),
        TEST(reads_long_lists),
        TEST(may_change_from_within),
        TEST(loses_services_of_who_answers_nothing),
        TEST(stays_with_who_answers_nothing),
        TEST(breaks_when_nobody_listens),
        TEST(breaks_with_the_connection),
        TEST(breaks_by_what_makes_no_sense),
        TEST(breaks_when_a_message_has_no_end),
        TEST(breaks_when_nothing_comes_in_time),
        TEST(breaks_when_who_has_answered_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
