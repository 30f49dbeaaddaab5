/*
 * The HTTP client and names of servers: known, unknown, and answered too late.
 */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>

#include "discovery/tls_client.h"
#include "http_client_fixture.h"

struct names {
    struct call_world calls;
    struct evdns_server_port *port;
    struct evdns_server_request *held[8]; /* questions for late.test */
    size_t n_held;
    bool is_awake; /* nothing is held any more */
};

static void answer(struct evdns_server_request *request)
{
    static const unsigned char local[4] = {127, 0, 0, 1};
    if (request->questions[0]->type == EVDNS_TYPE_A)
        assert_int_equal(
            evdns_server_request_add_a_reply(request, request->questions[0]->name, 1, local, 60),
            0);
    evdns_server_request_respond(request, 0);
}

static void on_question(struct evdns_server_request *request, void *arg)
{
    struct names *names = arg;
    const char *name = request->questions[0]->name;

    if (strncasecmp(name, "late.", 5) == 0 && !names->is_awake && names->n_held < 8) {
        names->held[names->n_held++] = request;
        event_base_loopbreak(names->calls.base);
    } else if (strncasecmp(name, "nobody.", 7) != 0) {
        answer(request);
    } else {
        evdns_server_request_respond(request, DNS_ERR_NOTEXIST);
    }
}

static void answer_late(struct names *names)
{
    for (size_t i = 0; i < names->n_held; i++)
        answer(names->held[i]);
    names->n_held = 0;
    names->is_awake = true;
}

static void set_up(struct names *names, const char *host, struct tls_client *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    names->n_held = 0;
    names->is_awake = false;
    call_set_up_as(&names->calls, host, "127.0.0.1", NULL, tls);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    names->port = evdns_add_server_port_with_base(names->calls.base, fd, 0, on_question, names);
    assert_non_null(names->port);
    assert_int_equal(
        evdns_base_nameserver_sockaddr_add(names->calls.dns, (struct sockaddr *)&address, len, 0),
        0);
    http_peer_say(&names->calls.peer, &call_good, 1);
}

static void tear_down(struct names *names)
{
    for (size_t i = 0; i < names->n_held; i++)
        evdns_server_request_drop(names->held[i]);
    evdns_close_server_port(names->port);
    call_tear_down(&names->calls);
}

static void names_are_looked_up(void **state)
{
    struct names names;

    (void)state;
    set_up(&names, "now.test", NULL);
    call_get(&names.calls, &call_good);
    assert_int_equal(names.calls.status, 200);
    tear_down(&names);
}

static void unknown_names_are_told(void **state)
{
    struct names names;

    (void)state;
    set_up(&names, "nobody.test", NULL);
    call_get(&names.calls, &call_good);
    assert_int_equal(names.calls.status, 0);
    assert_non_null(strstr(names.calls.error, "the name nobody.test cannot be resolved: "));
    tear_down(&names);
}

static void nobody_waits_for_names(void **state)
{
    struct names names;

    (void)state;
    set_up(&names, "late.test", NULL);
    call_send(&names.calls, false, CALL_SHORT_MS);
    while (names.calls.n_done == 0)
        call_run(&names.calls);
    assert_string_equal(names.calls.error, "there was no connection within 100 ms");
    answer_late(&names);
    call_get(&names.calls, &call_good);
    assert_int_equal(names.calls.status, 200);
    tear_down(&names);
}

enum way { BY_CALL, BY_CLIENT, BY_TEAR_DOWN, WAYS };

static void give_up(struct tls_client *tls, enum way way)
{
    struct names names;

    set_up(&names, "late.test", tls);
    struct http_client_call *call = call_send(&names.calls, false, 0);
    while (names.n_held == 0)
        call_run(&names.calls);
    if (way == BY_CALL)
        http_client_cancel(call);
    if (way == BY_CLIENT) {
        http_client_free(names.calls.client);
        names.calls.client = NULL;
    }
    if (way != BY_TEAR_DOWN)
        answer_late(&names);
    for (int i = 0; i < 20 && way != BY_TEAR_DOWN; i++)
        event_base_loop(names.calls.base, EVLOOP_NONBLOCK);
    assert_int_equal(names.calls.n_done, 0);
    assert_int_equal(names.calls.peer.n_asked, 0);
    tear_down(&names);
}

static void late_addresses_are_of_no_use(void **state)
{
    static const struct tls_client_settings settings = {"", "", ""};
    struct tls_client *tls = NULL;
    char why[TLS_CLIENT_WHY_SIZE];

    (void)state;
    if (tls_client_is_built())
        assert_int_equal(tls_client_new(&settings, why, &tls), 0);
    for (enum way way = BY_CALL; way < WAYS; way++) {
        give_up(NULL, way);
        if (tls != NULL)
            give_up(tls, way);
    }
    tls_client_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(unknown_names_are_told),
        cmocka_unit_test(nobody_waits_for_names),
        cmocka_unit_test(late_addresses_are_of_no_use),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
