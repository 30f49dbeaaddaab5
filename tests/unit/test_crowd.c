/*
 * How many connections each client address has.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/address.h"
#include "http/crowd.h"

#define MANY 5000

static struct address address_of(const char *text)
{
    struct address address;
    const char *why;

    if (address_parse(text, &address, &why) != 0)
        fail_msg("%s: %s", text, why);
    return address;
}

static int enter(struct crowd *crowd, const char *text, size_t most)
{
    struct address address = address_of(text);
    return crowd_enter(crowd, &address, most);
}

static void leave(struct crowd *crowd, const char *text)
{
    struct address address = address_of(text);
    crowd_leave(crowd, &address);
}

static void takes_as_many_as_may_be(void **state)
{
    struct crowd *crowd = crowd_new();

    (void)state;
    assert_int_equal(enter(crowd, "192.0.2.1:1", 3), 0);
    assert_int_equal(enter(crowd, "192.0.2.1:2", 3), 0);
    assert_int_equal(enter(crowd, "192.0.2.1:3", 3), 0);
    assert_int_equal(enter(crowd, "192.0.2.1:4", 3), -EBUSY);
    assert_int_equal(enter(crowd, "192.0.2.2:4", 3), 0);
    leave(crowd, "192.0.2.1:9");
    assert_int_equal(enter(crowd, "192.0.2.1:4", 3), 0);
    assert_int_equal(enter(crowd, "192.0.2.1:5", 3), -EBUSY);
    assert_int_equal(enter(crowd, "192.0.2.1:5", 4), 0);
    crowd_free(crowd);
}

/* Two texts, and whether both are one client. */
static void knows_who_is_who(void **state)
{
    static const struct {
        const char *a, *b;
        int second;
    } rows[] = {
        {"192.0.2.1:1", "192.0.2.1:1", -EBUSY},
        {"192.0.2.1:1", "192.0.2.1:65535", -EBUSY},
        {"192.0.2.1:1", "192.0.2.2:1", 0},
        {"192.0.2.1:1", "[::ffff:192.0.2.1]:1", -EBUSY},
        {"[::ffff:192.0.2.1]:7", "192.0.2.1:1", -EBUSY},
        {"192.0.2.1:1", "[::192.0.2.1]:1", 0},
        {"192.0.2.1:1", "[64:ff9b::192.0.2.1]:1", 0},
        {"[2001:db8::1]:1", "[2001:db8:0::1]:2", -EBUSY},
        {"[2001:db8::1]:1", "[2001:db8::ffff:2]:1", -EBUSY},
        {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", 0},
        {"[::]:1", "0.0.0.0:1", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct crowd *crowd = crowd_new();
        assert_int_equal(enter(crowd, rows[i].a, 1), 0);
        if (enter(crowd, rows[i].b, 1) != rows[i].second)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        crowd_free(crowd);
    }
}

static void a_socket_without_address_is_not_counted(void **state)
{
    struct crowd *crowd = crowd_new();
    struct address nameless = {.storage.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};

    (void)state;
    assert_int_equal(enter(crowd, "unix:/run/a", 1), -ENOENT);
    assert_int_equal(enter(crowd, "unix:/run/a", 1), -ENOENT);
    assert_int_equal(crowd_enter(crowd, &nameless, 1), -ENOENT);
    leave(crowd, "unix:/run/a");
    crowd_leave(crowd, &nameless);
    crowd_free(crowd);
}

static void the_last_one_to_leave_is_forgotten(void **state)
{
    struct crowd *crowd = crowd_new();

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(enter(crowd, "[2001:db8::1]:1", 1), 0);
        leave(crowd, "[2001:db8::1]:2");
        leave(crowd, "[2001:db8::1]:2");
    }
    leave(crowd, "192.0.2.1:1");
    assert_int_equal(enter(crowd, "192.0.2.1:1", 1), 0);
    crowd_free(crowd);
}

static void the_limit_may_fall(void **state)
{
    struct crowd *crowd = crowd_new();

    (void)state;
    assert_int_equal(enter(crowd, "192.0.2.1:1", 1), 0);
    assert_int_equal(enter(crowd, "192.0.2.1:1", 0), -EBUSY);
    crowd_free(crowd);
    crowd_free(NULL);
}

static void for_each(struct crowd *crowd, unsigned step,
                     void (*act)(struct crowd *crowd, const char *text, unsigned n))
{
    char text[64];

    for (unsigned n = 0; n < MANY; n += step) {
        if (n % 2 == 0)
            snprintf(text, sizeof text, "10.%u.%u.1:80", n >> 8, n & 255);
        else
            snprintf(text, sizeof text, "[2001:db8:%x::1]:80", n);
        act(crowd, text, n);
    }
}

static void comes_twice(struct crowd *crowd, const char *text, unsigned n)
{
    (void)n;
    assert_int_equal(enter(crowd, text, 2), 0);
    assert_int_equal(enter(crowd, text, 2), 0);
}

static void is_full(struct crowd *crowd, const char *text, unsigned n)
{
    (void)n;
    assert_int_equal(enter(crowd, text, 2), -EBUSY);
}

static void goes(struct crowd *crowd, const char *text, unsigned n)
{
    (void)n;
    leave(crowd, text);
    leave(crowd, text);
}

static void has_room_if_gone(struct crowd *crowd, const char *text, unsigned n)
{
    assert_int_equal(enter(crowd, text, 2), n % 3 == 0 ? 0 : -EBUSY);
}

static void thousands_are_kept_apart(void **state)
{
    struct crowd *crowd = crowd_new();

    (void)state;
    for_each(crowd, 1, comes_twice);
    for_each(crowd, 1, is_full);
    for_each(crowd, 3, goes);
    for_each(crowd, 1, has_room_if_gone);
    crowd_free(crowd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_as_many_as_may_be),
        cmocka_unit_test(knows_who_is_who),
        cmocka_unit_test(a_socket_without_address_is_not_counted),
        cmocka_unit_test(the_last_one_to_leave_is_forgotten),
        cmocka_unit_test(the_limit_may_fall),
        cmocka_unit_test(thousands_are_kept_apart),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
