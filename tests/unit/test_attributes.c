/*
 * What a worker makes of each route: who may use it, the fields of its answers,
 * and the life of what its handler prepares.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "http/attributes.h"
#include "http/handlers/handler.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* How often the handler below was asked for, and what it has now. */
static unsigned inits, drops;
static int alive;
static const char *broken; /* the pattern whose init() fails */

static int init(const struct conf_route *route, void **ret_state)
{
    inits++;
    if (broken != NULL && strcmp(route->pattern, broken) == 0)
        return -EMFILE;
    alive++;
    *ret_state = route->pattern;
    return 0;
}

static void drop(void *state)
{
    assert_non_null(state);
    drops++;
    alive--;
}

static bool with_chaos(const struct conf *conf)
{
    return conf->chaos.enabled;
}

static const struct handler lively = {.conf = {.name = "lively"}, .init = init, .drop = drop};
static const struct handler hidden = {
    .conf = {.name = "hidden"}, .init = init, .drop = drop, .exists = with_chaos};
static const struct handler plain = {.conf = {.name = "plain"}};

static int set_up(void **state)
{
    (void)state;
    inits = drops = 0;
    broken = NULL;
    return alive;
}

static struct conf_route route_of(const char *pattern, const struct handler *handler)
{
    return (struct conf_route){.pattern = (char *)pattern, .handler = &handler->conf};
}

static void clients_are_admitted(void **state)
{
    static const struct {
        const char *allow, *deny, *client;
        bool admitted;
    } rows[] = {
        {"", "", "192.0.2.1:1", true},
        {"", "", "unix:/run/a", true},
        {"192.0.2.0/24", "", "192.0.2.1:1", true},
        {"192.0.2.0/24", "", "192.0.3.1:1", false},
        {"192.0.2.0/24", "", "[2001:db8::1]:1", false},
        {"192.0.2.0/24", "", "[::ffff:192.0.2.1]:1", true},
        {"192.0.2.0/24", "", "unix:/run/a", false},
        {"192.0.2.1,192.0.2.3", "", "192.0.2.2:1", false},
        {"192.0.2.1,192.0.2.3", "", "192.0.2.3:1", true},
        {"0.0.0.0/0,::/0", "", "[2001:db8::1]:1", true},
        {"", "192.0.2.0/24", "192.0.2.1:1", false},
        {"", "192.0.2.0/24", "192.0.3.1:1", true},
        {"", "192.0.2.0/24", "[::ffff:192.0.2.1]:1", false},
        {"", "192.0.2.0/24", "unix:/run/a", true},
        {"", "2001:db8::/32,192.0.2.1", "[2001:db8:ffff::1]:1", false},
        {"192.0.2.0/24", "192.0.2.7", "192.0.2.7:1", false},
        {"192.0.2.0/24", "192.0.2.7", "192.0.2.8:1", true},
        {"192.0.2.7", "192.0.2.0/24", "192.0.2.7:1", false},
        {"192.0.2.7", "0.0.0.0/0", "192.0.2.7:1", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct conf_route route = route_of("/", &plain);
        struct conf conf = {.routes = &route, .n_routes = 1};
        struct attributes *attributes;
        struct address client;
        const char *why;

        assert_int_equal(conf_list_split(&route.allow, rows[i].allow, CONF_LIST_WORDS), 0);
        assert_int_equal(conf_list_split(&route.deny, rows[i].deny, CONF_LIST_WORDS), 0);
        assert_int_equal(attributes_new(&conf, &attributes), 0);
        assert_int_equal(address_parse(rows[i].client, &client, &why), 0);
        if (attributes_admit(attributes, &client) != rows[i].admitted)
            fail_msg("allow \"%s\" deny \"%s\" %s", rows[i].allow, rows[i].deny, rows[i].client);
        attributes_free(attributes, &conf);
        conf_list_clear(&route.allow);
        conf_list_clear(&route.deny);
    }
}

static void headers_are_lines(void **state)
{
    struct conf_route routes[2] = {route_of("/a", &plain), route_of("/b", &plain)};
    struct conf conf = {.routes = routes, .n_routes = 2};
    struct attributes *attributes;

    (void)state;
    assert_int_equal(conf_list_split(&routes[1].headers, "X-A: 1,X-B: b c", CONF_LIST_TEXTS), 0);
    assert_int_equal(attributes_new(&conf, &attributes), 0);
    assert_int_equal(attributes[0].headers.len, 0);
    assert_string_equal(attributes[1].headers.at, "X-A: 1\r\nX-B: b c\r\n");
    attributes_free(attributes, &conf);
    conf_list_clear(&routes[1].headers);
}

static void handlers_prepare_for_each_route(void **state)
{
    struct conf_route routes[3] = {route_of("/a", &lively), route_of("/b", &plain),
                                   route_of("/c", &lively)};
    struct conf conf = {.routes = routes, .n_routes = 3};
    struct attributes *attributes;

    (void)state;
    assert_int_equal(attributes_new(&conf, &attributes), 0);
    assert_int_equal(inits, 2);
    assert_ptr_equal(attributes[0].handler, &lively);
    assert_string_equal(attributes[0].state, "/a");
    assert_ptr_equal(attributes[1].handler, &plain);
    assert_null(attributes[1].state);
    assert_string_equal(attributes[2].state, "/c");
    attributes_free(attributes, &conf);
    assert_int_equal(drops, 2);
}

static void a_handler_may_not_exist(void **state)
{
    struct conf_route routes[2] = {route_of("/a", &hidden), route_of("/b", &lively)};
    struct conf conf = {.routes = routes, .n_routes = 2};
    struct attributes *attributes;

    (void)state;
    assert_int_equal(attributes_new(&conf, &attributes), 0);
    assert_null(attributes[0].handler);
    assert_non_null(attributes[1].handler);
    attributes_free(attributes, &conf);
    assert_int_equal(drops, 1);
    conf.chaos.enabled = true;
    assert_int_equal(attributes_new(&conf, &attributes), 0);
    assert_ptr_equal(attributes[0].handler, &hidden);
    attributes_free(attributes, &conf);
    assert_int_equal(drops, 3);
}

/* Those before it are dropped, those after it are not begun. */
static void a_handler_may_fail(void **state)
{
    struct conf_route routes[3] = {route_of("/a", &lively), route_of("/b", &lively),
                                   route_of("/c", &lively)};
    struct conf conf = {.routes = routes, .n_routes = 3};
    struct attributes *attributes = NULL;
    int log_file = memfd_create("log", MFD_CLOEXEC);
    char text[512];

    (void)state;
    log_move(dup(log_file));
    broken = "/b";
    assert_int_equal(attributes_new(&conf, &attributes), -EMFILE);
    assert_null(attributes);
    assert_int_equal(inits, 2);
    assert_int_equal(drops, 1);
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    assert_non_null(strstr(text, "route \"/b\": handler lively cannot start: "));
    close(log_file);
}

static void there_may_be_no_route(void **state)
{
    struct conf conf = {.n_routes = 0};
    struct attributes *attributes;

    (void)state;
    assert_int_equal(attributes_new(&conf, &attributes), 0);
    attributes_free(attributes, &conf);
    attributes_free(NULL, &conf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    static const struct CMUnitTest tests[] = {
        TEST(clients_are_admitted),
        TEST(headers_are_lines),
        TEST(handlers_prepare_for_each_route),
        TEST(a_handler_may_not_exist),
        TEST(a_handler_may_fail),
        TEST(there_may_be_no_route),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
