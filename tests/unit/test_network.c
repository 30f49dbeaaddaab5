/*
 * Networks: what is read, what is refused and why, and who lies inside.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/network.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *network;
    const char *address;
    bool inside;
} cases[] = {
    {"10.0.0.0/8", "10.0.0.0:1", true},
    {"10.0.0.0/8", "10.255.255.255:1", true},
    {"10.0.0.0/8", "11.0.0.0:1", false},
    {"10.0.0.0/8", "9.255.255.255:1", false},
    {"172.16.0.0/12", "172.31.255.255:1", true},
    {"172.16.0.0/12", "172.32.0.0:1", false},
    {"192.168.1.128/25", "192.168.1.128:1", true},
    {"192.168.1.128/25", "192.168.1.127:1", false},
    {"192.168.1.2/31", "192.168.1.3:1", true},
    {"192.168.1.2/31", "192.168.1.4:1", false},
    {"127.0.0.1", "127.0.0.1:1", true},
    {"127.0.0.1", "127.0.0.2:1", false},
    {"127.0.0.1/32", "127.0.0.1:1", true},
    {"127.0.0.1/32", "126.0.0.1:1", false},
    {"0.0.0.0/0", "203.0.113.9:1", true},
    {"0.0.0.0/0", "[2001:db8::1]:1", false},
    {"0.0.0.0/0", "unix:/x", false},
    {"::1/128", "[::1]:1", true},
    {"::1/128", "[::2]:1", false},
    {"::1", "[::1]:1", true},
    {"fe80::/10", "[febf::1]:1", true},
    {"fe80::/10", "[fec0::1]:1", false},
    {"2001:db8::/33", "[2001:db8:7fff::]:1", true},
    {"2001:db8::/33", "[2001:db8:8000::]:1", false},
    {"::/0", "[2001:db8::1]:1", true},
    {"::/0", "127.0.0.1:1", false},
    {"::/0", "unix:/x", false},
    {"::/0", "[::ffff:10.0.0.1]:1", false},
    {"0.0.0.0/0", "[::ffff:10.0.0.1]:1", true},
    {"10.0.0.0/8", "[::ffff:10.0.0.1]:1", true},
    {"10.0.0.0/8", "[::ffff:11.0.0.1]:1", false},
    {"10.0.0.0/8", "[::10.0.0.1]:1", false},
    {"10.0.0.0/8", "[a00::1]:1", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3:1", true},
    {"::ffff:10.0.0.0/104", "[::ffff:10.1.2.3]:1", true},
    {"::ffff:10.0.0.0/104", "11.0.0.0:1", false},
    {"::ffff:10.0.0.1", "10.0.0.1:1", true},
    {"::ffff:10.0.0.1", "10.0.0.2:1", false},
    {"::ffff:0:0/96", "10.0.0.2:1", true},
    {"unix", "unix:/x", true},
    {"unix", "127.0.0.1:1", false},
    {"unix", "[::1]:1", false},
};

static const char no_network[] = "it is not an IPv4 or IPv6 network, or \"unix\"";
static const char no_bits4[] = "the prefix length is not a number from 0 to 32";
static const char no_bits6[] = "the prefix length is not a number from 0 to 128";
static const char beyond[] = "the address has bits set beyond the prefix length";

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", no_network},
    {"/", no_network},
    {"/8", no_network},
    {"localhost", no_network},
    {"UNIX", no_network},
    {"unix:", no_network},
    {"10/8", no_network},
    {"10.0.0/8", no_network},
    {" 10.0.0.0/8", no_network},
    {"[::1]/128", no_network},
    {"[::1]", no_network},
    {"fe80::1%eth0", no_network},
    {"127.0.0.1:80", no_network},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/0", no_network},
    {"10.0.0.0/", no_bits4},
    {"10.0.0.0/33", no_bits4},
    {"10.0.0.0/-1", no_bits4},
    {"10.0.0.0/8/8", no_bits4},
    {"10.0.0.0/ 8", no_bits4},
    {"10.0.0.0/8 ", no_bits4},
    {"10.0.0.0/255.0.0.0", no_bits4},
    {"::/129", no_bits6},
    {"::/", no_bits6},
    {"10.0.0.1/8", beyond},
    {"10.0.0.1/0", beyond},
    {"10.0.0.1/31", beyond},
    {"192.168.1.128/24", beyond},
    {"::1/127", beyond},
    {"fe80::1/10", beyond},
    {"::ffff:10.0.0.1/104", beyond},
    {"::ffff:10.0.0.0/95", beyond},
};

static void test_contains(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct network network;
        struct address address;
        const char *why = "";

        if (network_parse(cases[i].network, &network, &why) < 0)
            fail_msg("\"%s\": %s", cases[i].network, why);
        if (address_parse(cases[i].address, &address, &why) < 0)
            fail_msg("\"%s\": %s", cases[i].address, why);
        if (network_contains(&network, &address) != cases[i].inside)
            fail_msg("%s in %s: should be %d", cases[i].address, cases[i].network, cases[i].inside);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct network network;
        struct network before;
        const char *why = "nothing was said";

        memset(&before, 0x5a, sizeof(before));
        memcpy(&network, &before, sizeof(network));
        if (network_parse(bad[i].text, &network, &why) != -EINVAL || strcmp(why, bad[i].why) != 0)
            fail_msg("\"%s\": %s", bad[i].text, why);
        if (memcmp(&network, &before, sizeof(network)) != 0)
            fail_msg("\"%s\": the result was touched", bad[i].text);
    }
}

/* A peer of a family that no list can name, as after a failed getpeername(2). */
static void test_unknown_family(void **state)
{
    static const char *const networks[] = {"0.0.0.0/0", "::/0", "unix"};
    struct address address = {.len = 0};

    (void)state;
    for (size_t i = 0; i < COUNT(networks); i++) {
        struct network network;
        const char *why = "";

        assert_int_equal(network_parse(networks[i], &network, &why), 0);
        assert_false(network_contains(&network, &address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_unknown_family),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
