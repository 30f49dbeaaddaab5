/*
 * Where the probe load of chaos goes.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/chaos_target.h"

static void takes_urls_apart(void **state)
{
    static const struct {
        const char *url;
        const char *address;
        const char *host;
        const char *path;
    } rows[] = {
        {"http://127.0.0.1:3000", "127.0.0.1:3000", "127.0.0.1:3000", "/"},
        {"http://127.0.0.1:3000/", "127.0.0.1:3000", "127.0.0.1:3000", "/"},
        {"http://127.0.0.1/a/b?c=d/e", "127.0.0.1:80", "127.0.0.1", "/a/b?c=d/e"},
        {"http://127.0.0.1:8080?c=d", "127.0.0.1:8080", "127.0.0.1:8080", "/?c=d"},
        {"http://[::1]:3000/x", "[::1]:3000", "[::1]:3000", "/x"},
        {"http://[::1]/x:y", "[::1]:80", "[::1]", "/x:y"},
        {"unix:/run/x.sock", "unix:/run/x.sock", "localhost", "/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chaos_target target;
        const char *why = "";
        char address[ADDRESS_TEXT_SIZE] = "";
        int r = chaos_target_parse(rows[i].url, &target, &why);

        if (r == 0)
            address_format(&target.address, address);
        if (r != 0 || strcmp(address, rows[i].address) != 0 ||
            strcmp(target.host, rows[i].host) != 0 || strcmp(target.path, rows[i].path) != 0)
            fail_msg("%s: %d, %s, \"%s\"", rows[i].url, r, why, address);
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const rows[] = {
        "",
        "http:",
        "http://",
        "http:///x",
        "https://127.0.0.1/",
        "HTTP://127.0.0.1/",
        "127.0.0.1:3000",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:/",
        "http://127.0.0.1:x/",
        "http://::1/",
        "http://[::1/",
        "http://[x]/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y",
        "http://127.0.0.1/#x",
        "http://a b/",
        "http://a\r\n/",
        "unix:",
        "unix:relative",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chaos_target target;
        const char *why = NULL;

        if (chaos_target_parse(rows[i], &target, &why) == 0 || why == NULL)
            fail_msg("%s", rows[i]);
    }
}

/* `size` bytes of x behind the prefix. */
static int parse_long(const char *prefix, size_t size)
{
    struct chaos_target target;
    const char *why = NULL;
    char url[CHAOS_TARGET_PATH_SIZE + 64];

    (void)snprintf(url, sizeof(url), "%s", prefix);
    memset(url + strlen(prefix), 'x', size);
    url[strlen(prefix) + size] = '\0';
    return chaos_target_parse(url, &target, &why);
}

static void lengths_are_limited(void **state)
{
    (void)state;
    assert_int_equal(parse_long("http://127.0.0.1/", CHAOS_TARGET_PATH_SIZE - 2), 0);
    assert_int_equal(parse_long("http://127.0.0.1/", CHAOS_TARGET_PATH_SIZE - 1), -EINVAL);
    assert_int_equal(parse_long("http://127.0.0.1?", CHAOS_TARGET_PATH_SIZE - 2), -EINVAL);
    assert_int_equal(parse_long("http://", CHAOS_TARGET_HOST_SIZE), -EINVAL);
    assert_int_equal(parse_long("unix:/", 107), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(lengths_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
