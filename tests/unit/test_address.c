/*
 * Socket addresses: what is read, what is refused and why, and the way back.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 107 bytes and one more: the last path that fits sun_path and the first that does not. */
#define TEN      "/123456789"
#define PATH_107 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "/123456"
#define PATH_108 PATH_107 "7"

static const struct {
    const char *text;
    const char *formatted;
    int family;
    int port;
} good[] = {
    {"127.0.0.1:3000", "127.0.0.1:3000", AF_INET, 3000},
    {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0},
    {"255.255.255.255:65535", "255.255.255.255:65535", AF_INET, 65535},
    {"10.1.2.3:0080", "10.1.2.3:80", AF_INET, 80},
    {"[::1]:3000", "[::1]:3000", AF_INET6, 3000},
    {"[::]:0", "[::]:0", AF_INET6, 0},
    {"[2001:DB8:0:0:0:0:0:1]:65535", "[2001:db8::1]:65535", AF_INET6, 65535},
    {"[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", AF_INET6, 80},
    {"[1111:2222:3333:4444:5555:6666:123.123.123.123]:1",
     "[1111:2222:3333:4444:5555:6666:7b7b:7b7b]:1", AF_INET6, 1},
    {"unix:/run/zombie.sock", "unix:/run/zombie.sock", AF_UNIX, -1},
    {"unix:/with space:and colon", "unix:/with space:and colon", AF_UNIX, -1},
    {"unix:" PATH_107, "unix:" PATH_107, AF_UNIX, -1},
};

static const char no_form[] = "it is not ADDR:PORT, [IPv6]:PORT or unix:/path";
static const char no_address[] = "the address is not IPv4, [IPv6] or unix:/path";
static const char no_port[] = "the port is not a number from 0 to 65535";
static const char colons[] =
    "it has more than one colon: an IPv6 address needs brackets, [IPv6]:PORT";
static const char no_ipv6[] = "the address in brackets is not IPv6";
static const char no_ipv6_form[] = "it is not of the form [IPv6]:PORT";
static const char zone[] = "an IPv6 address with a zone (%) is not supported";
static const char relative[] = "the path of a unix socket must be absolute";
static const char too_long[] = "the path of a unix socket must be shorter than 108 bytes";

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", no_form},
    {"3000", no_form},
    {"127.0.0.1", no_form},
    {"localhost", no_form},
    {"/run/zombie.sock", no_form},
    {"localhost:3000", no_address},
    {":3000", no_address},
    {"*:3000", no_address},
    {"127.1:3000", no_address},
    {"127.0.0.256:3000", no_address},
    {"0x7f.0.0.1:3000", no_address},
    {" 127.0.0.1:3000", no_address},
    {"127.0.0.1 :3000", no_address},
    {"127.0.0.1.127.0.0.1.127.0.0.1:3000", no_address},
    {"UNIX:/run/x", no_address},
    {"127.0.0.1:", no_port},
    {"127.0.0.1:65536", no_port},
    {"127.0.0.1:-1", no_port},
    {"127.0.0.1:+80", no_port},
    {"127.0.0.1: 80", no_port},
    {"127.0.0.1:80 ", no_port},
    {"127.0.0.1:http", no_port},
    {"127.0.0.1:0x50", no_port},
    {"127.0.0.1:99999999999999999999", no_port},
    {"::1:3000", colons},
    {"::1", colons},
    {"127.0.0.1:80:90", colons},
    {"http://127.0.0.1:80", colons},
    {"[::1]", no_ipv6_form},
    {"[::1", no_ipv6_form},
    {"[::1]3000", no_ipv6_form},
    {"[", no_ipv6_form},
    {"[]:3000", no_ipv6},
    {"[127.0.0.1]:3000", no_ipv6},
    {"[:::1]:3000", no_ipv6},
    {"[ ::1]:3000", no_ipv6},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1", no_ipv6},
    {"[fe80::1%eth0]:3000", zone},
    {"[fe80::1%1]:3000", zone},
    {"[::1]:", no_port},
    {"[::1]:65536", no_port},
    {"[::1]:80]", no_port},
    {"unix:", relative},
    {"unix:run/x", relative},
    {"unix:@abstract", relative},
    {"unix:" PATH_108, too_long},
};

/* Parse a text that must be right. */
static struct address parsed(const char *text)
{
    struct address address;
    const char *why = "";

    if (address_parse(text, &address, &why) < 0)
        fail_msg("\"%s\": %s", text, why);
    return address;
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct address address = parsed(good[i].text);
        struct address again;
        char text[ADDRESS_TEXT_SIZE];

        address_format(&address, text);
        if (strcmp(text, good[i].formatted) != 0)
            fail_msg("\"%s\": formatted as \"%s\"", good[i].text, text);
        if (address.storage.ss_family != good[i].family || address_port(&address) != good[i].port)
            fail_msg("\"%s\": family %d, port %d", good[i].text, address.storage.ss_family,
                     address_port(&address));
        again = parsed(text);
        if (!address_equal(&address, &again) || address.len != again.len)
            fail_msg("\"%s\": not the same after a round trip", good[i].text);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct address address;
        struct address before;
        const char *why = "nothing was said";

        memset(&before, 0x5a, sizeof(before));
        memcpy(&address, &before, sizeof(address));
        assert_int_equal(address_parse(bad[i].text, &address, &why), -EINVAL);
        if (strcmp(why, bad[i].why) != 0)
            fail_msg("\"%s\": %s", bad[i].text, why);
        if (memcmp(&address, &before, sizeof(address)) != 0)
            fail_msg("\"%s\": the result was touched", bad[i].text);
    }
}

static void test_length(void **state)
{
    struct address in = parsed("127.0.0.1:1");
    struct address in6 = parsed("[::1]:1");
    struct address un = parsed("unix:/x");

    (void)state;
    assert_int_equal(in.len, sizeof(struct sockaddr_in));
    assert_int_equal(in6.len, sizeof(struct sockaddr_in6));
    assert_int_equal(un.len, offsetof(struct sockaddr_un, sun_path) + sizeof("/x"));
}

static void test_equal(void **state)
{
    /* Every pair of these is different. */
    static const char *const texts[] = {
        "127.0.0.1:80", "127.0.0.1:81", "127.0.0.2:80", "[::1]:80", "[::1]:81",
        "[::2]:80",     "unix:/x",      "unix:/y",      "unix:/xy", "[::ffff:127.0.0.1]:80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t j = 0; j < COUNT(texts); j++) {
            struct address a = parsed(texts[i]);
            struct address b = parsed(texts[j]);

            if (address_equal(&a, &b) != (i == j))
                fail_msg("\"%s\" and \"%s\"", texts[i], texts[j]);
        }
    }
}

static void test_equal_unix_lengths(void **state)
{
    struct address a = parsed("unix:/x");
    struct address b = a;

    (void)state;
    b.len--;
    assert_true(address_equal(&a, &b));
    b.len = sizeof(struct sockaddr_un);
    assert_true(address_equal(&a, &b));
    b.len = sizeof(b.storage);
    assert_true(address_equal(&a, &b));
}

static void test_equal_zone(void **state)
{
    struct address a = parsed("[fe80::1]:80");
    struct address b = a;

    (void)state;
    ((struct sockaddr_in6 *)&b.storage)->sin6_scope_id = 2;
    assert_false(address_equal(&a, &b));
}

/* What accept(2) and getpeername(2) say of unix peers, and a family nobody asked for. */
static void test_peers(void **state)
{
    struct address address = {.storage = {.ss_family = AF_UNIX}};
    struct sockaddr_un *un = (struct sockaddr_un *)&address.storage;
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    address.len = offsetof(struct sockaddr_un, sun_path);
    address_format(&address, text);
    assert_string_equal(text, "unix:");
    assert_false(address_equal(&address, &address));

    memcpy(un->sun_path, "\0name", 5);
    address.len += 5;
    address_format(&address, text);
    assert_string_equal(text, "unix:@name");
    assert_true(address_equal(&address, &address));

    memset(un->sun_path, 'x', sizeof(un->sun_path));
    address.len = sizeof(*un);
    address_format(&address, text);
    assert_int_equal(strlen(text), strlen("unix:") + sizeof(un->sun_path));

    memset(&address, 0, sizeof(address));
    address_format(&address, text);
    assert_string_equal(text, "unknown");
    assert_int_equal(address_port(&address), -1);
    assert_false(address_equal(&address, &address));
}

static void test_set_port(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"127.0.0.1:0", "127.0.0.1:4711"},
        {"[::1]:80", "[::1]:4711"},
        {"unix:/x", "unix:/x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address = parsed(cases[i].before);
        char text[ADDRESS_TEXT_SIZE];

        address_set_port(&address, 4711);
        address_format(&address, text);
        assert_string_equal(text, cases[i].after);
    }
}

static void test_is_local(void **state)
{
    static const struct {
        const char *text;
        bool is_local;
    } cases[] = {
        {"127.0.0.1:80", true},      {"127.0.0.0:80", true},
        {"127.255.255.255:1", true}, {"126.255.255.255:1", false},
        {"128.0.0.0:1", false},      {"0.0.0.0:80", false},
        {"10.127.0.1:80", false},    {"1.0.0.127:80", false},
        {"[::1]:80", true},          {"[::]:80", false},
        {"[::2]:80", false},         {"[fe80::1]:80", false},
        {"[1::1]:80", false},        {"[::ffff:10.0.0.1]:80", false},
        {"unix:/x", true},
    };
    struct address unknown;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address = parsed(cases[i].text);

        if (address_is_local(&address) != cases[i].is_local)
            fail_msg("\"%s\"", cases[i].text);
    }
    memset(&unknown, 0, sizeof(unknown));
    assert_false(address_is_local(&unknown));
}

static void test_join(void **state)
{
    static const struct {
        const char *host;
        unsigned port;
        const char *text;
    } cases[] = {
        {"10.0.0.5", 3000, "10.0.0.5:3000"},
        {"goods.example", 65535, "goods.example:65535"},
        {"2001:db8::5", 80, "[2001:db8::5]:80"},
    };
    char text[8];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char whole[32];
        size_t len = address_join(cases[i].host, cases[i].port, whole, sizeof(whole));

        assert_string_equal(whole, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
    }
    assert_int_equal(address_join("::1", 3000, text, sizeof(text)), strlen("[::1]:3000"));
    assert_string_equal(text, "[::1]:3");
}

static void test_host_alone(void **state)
{
    static const struct {
        const char *text;
        const char *host;
    } cases[] = {
        {"10.0.0.5:3000", "10.0.0.5"},
        {"[2001:db8::5]:80", "2001:db8::5"},
        {"[::ffff:10.0.0.5]:80", "10.0.0.5"},
        {"unix:/run/zombie.sock", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char host[INET6_ADDRSTRLEN];
        struct address address;
        const char *why;

        assert_int_equal(address_parse(cases[i].text, &address, &why), 0);
        address_format_host(&address, host);
        assert_string_equal(host, cases[i].host);
    }
}

static void test_is_numeric(void **state)
{
    (void)state;
    assert_true(address_is_numeric("10.0.0.5"));
    assert_true(address_is_numeric("::1"));
    assert_false(address_is_numeric("[::1]"));
    assert_false(address_is_numeric("10.0.0.5:80"));
    assert_false(address_is_numeric("goods.example"));
    assert_false(address_is_numeric(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_length),     cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_zone), cmocka_unit_test(test_equal_unix_lengths),
        cmocka_unit_test(test_peers),      cmocka_unit_test(test_set_port),
        cmocka_unit_test(test_is_local),   cmocka_unit_test(test_join),
        cmocka_unit_test(test_host_alone), cmocka_unit_test(test_is_numeric),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
