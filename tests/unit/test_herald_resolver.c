/*
 * Lookups against a name server of the test, on one loop: what is asked, what is
 * answered, and files that change.
 */
#include "config.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>

#include "base/address.h"
#include "base/clock.h"
#include "herald/resolver.h"

/* No answer at all. */
#define MUTE (-1)

/* Names that the server knows; an address in each family, or none, or an error for all. */
static const struct record {
    const char *name;
    const char *v4[3];
    const char *v6[2];
    int ttl;
    int error_v4, error_v6; /* response codes, or MUTE */
} records[] = {
    {"both.test", {"10.0.0.2", "10.0.0.1"}, {"2001:db8::1"}, 60, 0, 0},
    {"four.test", {"10.0.0.9", "10.0.0.9", "10.0.0.3"}, {NULL}, 5, 0, 0},
    {"six.test", {NULL}, {"2001:db8::6"}, 7, 0, 0},
    {"half.test", {"10.0.0.4"}, {NULL}, 9, 0, DNS_ERR_FORMAT},
    {"mute.test", {"10.0.0.5"}, {NULL}, 3, 0, MUTE},
    {"empty.test", {NULL}, {NULL}, 9, 0, 0},
    {"gone.test", {NULL}, {NULL}, 9, DNS_ERR_NOTEXIST, DNS_ERR_NOTEXIST},
    {"sick.test", {NULL}, {NULL}, 9, DNS_ERR_FORMAT, DNS_ERR_FORMAT},
    {"app.lan.test", {"10.0.0.7"}, {NULL}, 11, 0, 0},
};

struct world {
    struct event_base *base;
    struct evdns_server_port *port;
    struct resolver *resolver;
    struct lookup *lookup;
    char folder[32], servers[48], hosts[48];
    unsigned questions;
    char heard[256]; /* of the last lookup: "10.0.0.1 ... ttl=5", or the error */
    int missing;
};

static void reply(struct evdns_server_request *request, const struct record *record, int type)
{
    const char *const *texts = type == EVDNS_TYPE_A ? record->v4 : record->v6;
    size_t max = type == EVDNS_TYPE_A ? 3 : 2;
    int error = type == EVDNS_TYPE_A ? record->error_v4 : record->error_v6;

    for (size_t i = 0; i < max && texts[i] != NULL; i++) {
        uint8_t bytes[16];
        inet_pton(type == EVDNS_TYPE_A ? AF_INET : AF_INET6, texts[i], bytes);
        if (type == EVDNS_TYPE_A)
            evdns_server_request_add_a_reply(request, record->name, 1, bytes, record->ttl);
        else
            evdns_server_request_add_aaaa_reply(request, record->name, 1, bytes, record->ttl);
    }
    if (error == MUTE)
        evdns_server_request_drop(request);
    else
        evdns_server_request_respond(request, error);
}

static void on_question(struct evdns_server_request *request, void *arg)
{
    struct world *world = arg;
    const struct evdns_server_question *question = request->questions[0];

    world->questions++;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        if (strcmp(question->name, records[i].name) == 0) { /* strict, as that of podman */
            reply(request, &records[i], question->type);
            return;
        }
    }
    evdns_server_request_respond(request, DNS_ERR_NOTEXIST);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void point_at(const struct world *world, int port, const char *more)
{
    char text[128];

    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%d\n%s", port, more);
    write_file(world->servers, text);
}

/* Returns a socket that nobody reads yet, and its port. */
static int open_socket(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Returns its port. */
static int open_server(struct world *world)
{
    int port, fd = open_socket(&port);

    world->port = evdns_add_server_port_with_base(world->base, fd, 0, on_question, world);
    assert_non_null(world->port);
    return port;
}

static void make_resolver(struct world *world, long patience_ms, long detour_ms)
{
    const struct resolver_settings settings = {.base = world->base,
                                               .resolv_conf = world->servers,
                                               .hosts = world->hosts,
                                               .patience_ms = patience_ms,
                                               .detour_ms = detour_ms};

    resolver_free(world->resolver);
    assert_int_equal(resolver_new(&settings, &world->resolver), 0);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    strcpy(world->folder, "/tmp/resolver-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->servers, sizeof(world->servers), "%s/resolv.conf", world->folder);
    snprintf(world->hosts, sizeof(world->hosts), "%s/hosts", world->folder);
    write_file(world->hosts, "10.9.9.9 here.test\n");
    world->base = event_base_new();
    point_at(world, open_server(world), "search lan.test\n");
    make_resolver(world, 60000, 60000);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    event_base_loop(world->base, EVLOOP_NONBLOCK); /* the end of what was taken back */
    resolver_free(world->resolver);
    evdns_close_server_port(world->port);
    event_base_loop(world->base, EVLOOP_NONBLOCK);
    event_base_free(world->base);
    unlink(world->servers);
    unlink(world->hosts);
    rmdir(world->folder);
    free(world);
    return 0;
}

static void on_answer(const struct resolver_answer *answer, void *arg)
{
    struct world *world = arg;
    size_t len = 0;

    world->missing = answer->missing;
    for (size_t i = 0; i < answer->n; i++) {
        char one[ADDRESS_TEXT_SIZE];
        address_format(&answer->addresses[i], one);
        len += (size_t)snprintf(world->heard + len, sizeof(world->heard) - len, "%s ", one);
    }
    if (answer->error == NULL)
        snprintf(world->heard + len, sizeof(world->heard) - len, "ttl=%d", (int)answer->ttl_s);
    else
        snprintf(world->heard, sizeof(world->heard), "%s", answer->error);
    event_base_loopbreak(world->base);
}

static const char *look_up(struct world *world, const char *name)
{
    world->heard[0] = '\0';
    assert_int_equal(resolver_look_up(world->resolver, name, on_answer, world, &world->lookup), 0);
    assert_string_equal(world->heard, "");
    event_base_dispatch(world->base);
    return world->heard;
}

static void names_have_addresses(void **state)
{
    static const struct {
        const char *name;
        const char *heard;
        int missing;
    } cases[] = {
        {"both.test", "10.0.0.1:0 10.0.0.2:0 [2001:db8::1]:0 ttl=60", 0},
        {"four.test", "10.0.0.3:0 10.0.0.9:0 ttl=5", 0},
        {"six.test", "[2001:db8::6]:0 ttl=7", 0},
        {"half.test.", "10.0.0.4:0 ttl=9", AF_INET6},
        {"app", "10.0.0.7:0 ttl=11", 0},
        {"both.test.", "10.0.0.1:0 10.0.0.2:0 [2001:db8::1]:0 ttl=60", 0},
        {"here.test", "10.9.9.9:0 ttl=10", 0},
        {"Here.Test.", "10.9.9.9:0 ttl=10", 0},
        {"empty.test", "it has no address", 0},
        {"gone.test", "it has no address", 0},
        {"app.", "it has no address", 0},
        {"sick.test.", "misformatted query", 0},
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(look_up(world, cases[i].name), cases[i].heard);
        assert_int_equal(world->missing, cases[i].missing);
    }
}

static void what_stands_here_is_not_asked_for(void **state)
{
    struct world *world = *state;

    look_up(world, "here.test");
    assert_int_equal(world->questions, 0);
    write_file(world->hosts, "10.9.9.8 there.test\n");
    assert_string_equal(look_up(world, "there.test"), "10.9.9.8:0 ttl=10");
    assert_int_equal(world->questions, 0);
    look_up(world, "both.test");
    assert_int_equal(world->questions, 2);
}

static void one_family_does_not_wait_for_ever(void **state)
{
    struct world *world = *state;

    make_resolver(world, 1, 60000);
    assert_string_equal(look_up(world, "mute.test"), "10.0.0.5:0 ttl=3");
    assert_int_equal(world->missing, AF_INET6);
}

/* The old server is not there any more: who still asked it would wait for a long time. */
static void servers_that_change_are_noticed(void **state)
{
    struct world *world = *state;

    make_resolver(world, 1, 60000);
    look_up(world, "mute.test"); /* a question is taken back */
    evdns_close_server_port(world->port);
    point_at(world, open_server(world), "# another one\n");
    assert_string_equal(look_up(world, "here.test"), "10.9.9.9:0 ttl=10");
    assert_string_equal(look_up(world, "app."), "it has no address");
    assert_string_equal(look_up(world, "app"), "it has no address"); /* no domain is searched */
}

/* Beside it there is one that says nothing. */
static void name_servers_are_asked_in_their_order(void **state)
{
    struct world *world = *state;
    char more[64];
    int port, mute = open_socket(&port);

    snprintf(more, sizeof(more), "nameserver 127.0.0.1:%d\n", port);
    evdns_close_server_port(world->port);
    point_at(world, open_server(world), more);
    make_resolver(world, 1, 60000);
    for (int i = 0; i < 5; i++)
        assert_string_equal(look_up(world, "four.test."), "10.0.0.3:0 10.0.0.9:0 ttl=5");
    assert_int_equal(world->questions, 10);
    close(mute);
}

static void on_question_to_the_sick(struct evdns_server_request *request, void *arg)
{
    (void)arg;
    evdns_server_request_respond(request, DNS_ERR_FORMAT);
}

/* Before the one that the world has, another that refuses each question, which is returned. */
static struct evdns_server_port *put_a_sick_one_first(struct world *world, const char *more)
{
    char next[96];
    int port, fd = open_socket(&port);
    struct evdns_server_port *sick =
        evdns_add_server_port_with_base(world->base, fd, 0, on_question_to_the_sick, NULL);

    evdns_close_server_port(world->port);
    snprintf(next, sizeof(next), "nameserver 127.0.0.1:%d\n%s", open_server(world), more);
    point_at(world, port, next);
    return sick;
}

/* Until that knows nothing: then the first is asked again. */
static void name_server_that_is_of_no_help_is_followed_by_the_next(void **state)
{
    struct world *world = *state;
    char more[64];
    int port, mute = open_socket(&port);

    snprintf(more, sizeof(more), "nameserver 127.0.0.1:%d\n", port);
    struct evdns_server_port *sick = put_a_sick_one_first(world, more);
    assert_string_equal(look_up(world, "four.test."), "misformatted query");
    assert_string_equal(look_up(world, "four.test."), "10.0.0.3:0 10.0.0.9:0 ttl=5");
    assert_string_equal(look_up(world, "both.test."),
                        "10.0.0.1:0 10.0.0.2:0 [2001:db8::1]:0 ttl=60");
    assert_string_equal(look_up(world, "gone.test."), "it has no address");
    assert_string_equal(look_up(world, "four.test."), "misformatted query");
    evdns_close_server_port(sick);
    close(mute);
}

static void first_name_server_is_asked_again_after_a_while(void **state)
{
    struct world *world = *state;
    struct evdns_server_port *sick = put_a_sick_one_first(world, "");

    make_resolver(world, 60000, 1);
    assert_string_equal(look_up(world, "four.test."), "misformatted query");
    int64_t end_ms = clock_now_ms() + 1;
    do
        event_base_loop(world->base, EVLOOP_NONBLOCK);
    while (clock_now_ms() < end_ms);
    assert_string_equal(look_up(world, "four.test."), "misformatted query");
    evdns_close_server_port(sick);
}

static void names_that_are_none_are_refused(void **state)
{
    struct world *world = *state;
    char longest[260];

    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_not_equal(resolver_look_up(world->resolver, "", on_answer, world, &world->lookup),
                         0);
    assert_int_not_equal(resolver_look_up(world->resolver, ".", on_answer, world, &world->lookup),
                         0);
    assert_int_not_equal(
        resolver_look_up(world->resolver, longest, on_answer, world, &world->lookup), 0);
    longest[100] = '\0'; /* a label of more than 63 bytes */
    assert_string_not_equal(look_up(world, longest), "");
}

static void lookups_may_be_dropped(void **state)
{
    struct world *world = *state;

    assert_int_equal(
        resolver_look_up(world->resolver, "both.test", on_answer, world, &world->lookup), 0);
    assert_int_equal(
        resolver_look_up(world->resolver, "here.test", on_answer, world, &world->lookup), 0);
    resolver_free(world->resolver);
    world->resolver = NULL;
    event_base_loop(world->base, EVLOOP_NONBLOCK);
    assert_string_equal(world->heard, "");
}

/* Neither the old answer nor an error comes, and others are answered. */
static void lookups_may_be_given_up(void **state)
{
    struct world *world = *state;

    resolver_cancel(NULL);
    assert_int_equal(
        resolver_look_up(world->resolver, "here.test", on_answer, world, &world->lookup), 0);
    resolver_cancel(world->lookup);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(
            resolver_look_up(world->resolver, "mute.test", on_answer, world, &world->lookup), 0);
        resolver_cancel(world->lookup);
    }
    assert_string_equal(look_up(world, "four.test"), "10.0.0.3:0 10.0.0.9:0 ttl=5");
    event_base_loop(world->base, EVLOOP_NONBLOCK);
    assert_string_equal(world->heard, "10.0.0.3:0 10.0.0.9:0 ttl=5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_have_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stands_here_is_not_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_family_does_not_wait_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(servers_that_change_are_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(name_servers_are_asked_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(name_server_that_is_of_no_help_is_followed_by_the_next,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_name_server_is_asked_again_after_a_while, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_none_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lookups_may_be_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lookups_may_be_given_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
