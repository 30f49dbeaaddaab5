/*
 * Names in the text of a file of hosts.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "herald/hosts.h"

#define PORT 8080
#define MANY "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"

static const char text[] = "# a comment with app in it\n"
                           "127.0.0.1\tlocalhost\n"
                           "::1 localhost ip6-localhost\r\n"
                           "\n"
                           "10.0.0.1 app app.example # other\n"
                           "  10.0.0.2   APP.example\n"
                           "10.0.0.300 broken\n"
                           "10.0.0.3\n"
                           "fe80::1%lo zone\n" MANY " six\n"
                           "00000000000000000000000000000000000000000000000000 long\n"
                           "10.0.0.4 #app\n"
                           "10.0.0.5 last";

static void names_are_found(void **state)
{
    static const struct {
        const char *name;
        const char *found;
    } cases[] = {
        {"localhost", "127.0.0.1:8080 [::1]:8080 "},
        {"ip6-localhost", "[::1]:8080 "},
        {"app", "10.0.0.1:8080 "},
        {"app.example", "10.0.0.1:8080 10.0.0.2:8080 "},
        {"App.Example", "10.0.0.1:8080 10.0.0.2:8080 "},
        {"last", "10.0.0.5:8080 "},
        {"six", "[" MANY "]:8080 "},
        {"other", ""},
        {"broken", ""},
        {"zone", ""},
        {"long", ""},
        {"ap", ""},
        {"", ""},
        {"10.0.0.3", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address addresses[4];
        char found[2 * ADDRESS_TEXT_SIZE] = "", one[ADDRESS_TEXT_SIZE];
        size_t n = hosts_find(text, sizeof(text) - 1, cases[i].name, PORT, addresses, 4);
        for (size_t j = 0; j < n; j++) {
            address_format(&addresses[j], one);
            strcat(strcat(found, one), " ");
        }
        assert_string_equal(found, cases[i].found);
    }
}

static void no_more_than_wanted(void **state)
{
    struct address address;

    (void)state;
    assert_int_equal(hosts_find(text, sizeof(text) - 1, "localhost", 1, &address, 1), 1);
    assert_int_equal(hosts_find(text, sizeof(text) - 1, "localhost", 1, &address, 0), 0);
    assert_int_equal(hosts_find(text, 0, "localhost", 1, &address, 1), 0);
}

/* Cut anywhere, without a byte behind the end being looked at. */
static void any_part_can_be_read(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        struct address addresses[4];
        char *copy = malloc(len + 1);
        memcpy(copy, text, len);
        copy = realloc(copy, len > 0 ? len : 1);
        (void)hosts_find(copy, len, "app", PORT, addresses, 4);
        free(copy);
    }
}

static void a_file_is_read_as_far_as_allowed(void **state)
{
    size_t len = 7;
    char *read;

    (void)state;
    assert_null(hosts_read("/nonexistent", 100, &len));
    assert_int_equal(len, 0);
    read = hosts_read("/proc/self/status", 5, &len);
    assert_int_equal(len, 5);
    assert_memory_equal(read, "Name:", 5);
    free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(no_more_than_wanted),
        cmocka_unit_test(any_part_can_be_read),
        cmocka_unit_test(a_file_is_read_as_far_as_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
