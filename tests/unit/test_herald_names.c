/* Names of servers that a registry has named: looked up when they come, forgotten when they go. */
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
#include <event2/event.h>

#include "balancer_fixture.h"
#include "base/clock.h"
#include "herald/found.h"
#include "herald/names.h"
#include "herald/resolver.h"

#define DEADLINE_MS 20000

static struct {
    struct event_base *base;
    struct event *tick;
    char hosts[32], servers[48];
    struct resolver_settings resolver;
    struct balancer *balancer;
    struct conf conf;
    struct names *names;
    struct found *found;
    unsigned changes;
} world;

static void on_changed(void *arg)
{
    assert_null(arg);
    world.changes++;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void write_hosts(const char *text)
{
    FILE *file = fopen(world.hosts, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    const struct timeval tick = {0, 5000};
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.hosts, "/tmp/hosts-XXXXXX");
    int fd = mkstemp(world.hosts);
    assert_true(fd >= 0);
    close(fd);
    snprintf(world.servers, sizeof world.servers, "%s-servers", world.hosts);
    write_hosts("10.0.0.1 one\n10.0.0.2 one\n10.0.0.3 two\n10.0.0.9 own\n");
    world.base = event_base_new();
    world.tick = event_new(world.base, -1, EV_PERSIST, on_tick, NULL);
    event_add(world.tick, &tick);
    assert_int_equal(balancer_new(2, &world.balancer), 0);
    fixture_add(&world.conf, "u", CONF_BALANCE_ROUND_ROBIN, "own:9");
    world.conf.upstreams[0].from_registry = true;
    assert_int_equal(balancer_apply(world.balancer, &world.conf, 0), 0);
    world.resolver = (struct resolver_settings){
        .base = world.base, .resolv_conf = world.servers, .hosts = world.hosts, .patience_ms = 10};
    const struct names_settings names = {.resolver = &world.resolver,
                                         .conf = &world.conf,
                                         .balancer = world.balancer,
                                         .changed = on_changed};
    assert_int_equal(names_new(&names, &world.names), 0);
    const struct found_settings found = {.base = world.base,
                                         .conf = &world.conf,
                                         .balancer = world.balancer,
                                         .names = world.names,
                                         .changed = on_changed};
    assert_int_equal(found_new(&found, &world.found), 0);
    names_begin(world.names);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    found_free(world.found);
    names_free(world.names);
    fixture_clear(&world.conf);
    balancer_free(world.balancer);
    event_free(world.tick);
    event_base_free(world.base);
    unlink(world.hosts);
    return 0;
}

/* Words, each HOST=PORT. */
static void take(const char *service, const char *hosts)
{
    struct member members[8];
    char copy[128], *rest;
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", hosts);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *port = strchr(word, '=');
        member_init(&members[n]);
        assert_true(member_set_id(&members[n], word, strlen(word)));
        assert_true(member_set_host(&members[n], word, (size_t)(port - word)));
        members[n++].port = (uint32_t)atoi(port + 1);
    }
    found_take(world.found, service, members, n);
}

static struct balancer_upstream *upstream(void)
{
    return balancer_find(world.balancer, "u");
}

static void await_server(const char *address, const char *server)
{
    int64_t end_ms = clock_now_ms() + DEADLINE_MS;
    while (strcmp(fixture_look(upstream(), address, 0).server, server) != 0 &&
           clock_now_ms() < end_ms)
        event_base_loop(world.base, EVLOOP_ONCE);
    assert_string_equal(fixture_look(upstream(), address, 0).server, server);
}

static void names_are_looked_up_when_they_come(void **state)
{
    (void)state;
    await_server("10.0.0.9:9", "own:9");
    take("u", "one=80 10.0.0.7=81 fe80::1=82");
    assert_string_equal(fixture_look(upstream(), "10.0.0.7:81", 0).server, "10.0.0.7:81");
    assert_string_equal(fixture_look(upstream(), "[fe80::1]:82", 0).server, "[fe80::1]:82");
    await_server("10.0.0.1:80", "one:80");
    assert_string_equal(fixture_look(upstream(), "10.0.0.2:80", 0).server, "one:80");
    assert_true(names_are_settled(world.names));
    /* The same name with another port is known at once. */
    take("u", "one=80 one=83 two=84");
    assert_string_equal(fixture_look(upstream(), "10.0.0.1:83", 0).server, "one:83");
    await_server("10.0.0.3:84", "two:84");
}

static void they_are_forgotten_when_they_go(void **state)
{
    (void)state;
    take("u", "one=80");
    await_server("10.0.0.1:80", "one:80");
    take("u", "");
    assert_string_equal(fixture_look(upstream(), "10.0.0.1:80", 0).server, "");
    await_server("10.0.0.9:9", "own:9");
    write_hosts("10.0.0.5 one\n");
    take("u", "one=80");
    await_server("10.0.0.5:80", "one:80");
}

/* Whoever goes while the resolver is asked is let go with the answer. */
static void questions_under_way_end_well(void **state)
{
    (void)state;
    take("u", "one=80 two=81");
    take("u", "");
    take("u", "two=82");
    take("u", "");
    await_server("10.0.0.9:9", "own:9");
    assert_true(names_are_settled(world.names));
    take("u", "two=83");
    await_server("10.0.0.3:83", "two:83");
    assert_string_equal(fixture_look(upstream(), "10.0.0.3:81", 0).server, "");
}

/* A name server that says nothing; returns its socket. */
static int open_mute_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    FILE *file = fopen(world.servers, "w");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_non_null(file);
    fprintf(file, "nameserver 127.0.0.1:%d\n", ntohs(address.sin_port));
    fclose(file);
    return fd;
}

/* However many come: who has gone is not waited for. */
static void crowds_leave_nothing_behind(void **state)
{
    int fd = open_mute_server();
    (void)state;
    await_server("10.0.0.9:9", "own:9");
    for (unsigned i = 0; i < 1000; i++) {
        char hosts[64];
        snprintf(hosts, sizeof hosts, "a%u=80 b%u=80 c%u=80", i, i, i);
        take("u", hosts);
        assert_false(names_are_settled(world.names));
        event_base_loop(world.base, EVLOOP_NONBLOCK);
    }
    take("u", "");
    assert_true(names_are_settled(world.names));
    take("u", "one=80");
    await_server("10.0.0.1:80", "one:80");
    close(fd);
    unlink(world.servers);
}

static void others_are_none_of_its_business(void **state)
{
    (void)state;
    await_server("10.0.0.9:9", "own:9");
    unsigned changes = world.changes;
    take("v", "one=80");
    assert_int_equal(world.changes, changes);
    /* What is no address that requests could go to is left out. */
    take("u", "0x7f.1=80 10.0.0.7=81");
    assert_string_equal(fixture_look(upstream(), "10.0.0.7:81", 0).server, "10.0.0.7:81");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_looked_up_when_they_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(they_are_forgotten_when_they_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(questions_under_way_end_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(crowds_leave_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_are_none_of_its_business, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
