/*
 * What a member is in etcd and ZooKeeper: what an instance says of itself, and what is made of what
 * others say.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discovery/registries/payload.h"

static const struct conf_registry plain = {
    .weight = 3, .max_fails = 2, .fail_timeout_ms = 15000, .prefix = (char *)"/services"};

static void test_name_is_host_and_port(void **state)
{
    static const struct {
        const char *host;
        const char *name;
    } cases[] = {
        {"10.0.0.5", "10.0.0.5:3000"},
        {"api-1.example", "api-1.example:3000"},
        {"2001:db8::5", "[2001:db8::5]:3000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct driver_record record = {.host = cases[i].host, .port = 3000};
        char name[PAYLOAD_NAME_SIZE];
        payload_name(&record, name);
        assert_string_equal(name, cases[i].name);
    }
}

static void expect_text(const struct conf_registry *conf, enum driver_status status,
                        const char *expected)
{
    const struct driver_record record = {.host = "10.0.0.5", .port = 3000, .status = status};
    char *text = payload_write(conf, &record);
    assert_string_equal(text, expected);
    free(text);
}

static void test_value_has_what_others_need(void **state)
{
    static char *const items[] = {(char *)"zone=a", (char *)"rack=", (char *)"note=x=\"y\""};
    struct conf_registry rich = plain;
    (void)state;
    expect_text(&plain, DRIVER_UP,
                "{\"weight\":3,\"max_fails\":2,\"fail_timeout\":15,\"down\":0,"
                "\"host\":\"10.0.0.5\",\"port\":3000}");
    rich.fail_timeout_ms = 1500;
    rich.metadata = (struct conf_list){(char **)items, 3};
    expect_text(&rich, DRIVER_DOWN,
                "{\"weight\":3,\"max_fails\":2,\"fail_timeout\":1.5,\"down\":1,"
                "\"host\":\"10.0.0.5\",\"port\":3000,"
                "\"metadata\":{\"zone\":\"a\",\"rack\":\"\",\"note\":\"x=\\\"y\\\"\"}}");
}

static void test_who_starts_is_not_to_be_asked(void **state)
{
    (void)state;
    expect_text(&plain, DRIVER_STARTING,
                "{\"weight\":3,\"max_fails\":2,\"fail_timeout\":15,\"down\":1,"
                "\"host\":\"10.0.0.5\",\"port\":3000}");
}

/* --- Reading ----------------------------------------------------------------------------- */

struct reading {
    const char *name, *value;
    const char *host;
    uint32_t port, weight, max_fails, fail_timeout_ms, is_down;
};

static void test_members_are_read(void **state)
{
    static const struct reading cases[] = {
        {"10.0.0.5:3000", "", "10.0.0.5", 3000, 1, 1, 10000, 0},
        {"10.0.0.5:3000", "{}", "10.0.0.5", 3000, 1, 1, 10000, 0},
        {"api:80", "{\"weight\":5}", "api", 80, 5, 1, 10000, 0},
        {"[2001:db8::5]:443", "{}", "2001:db8::5", 443, 1, 1, 10000, 0},
        {"anything", "{\"host\":\"h\",\"port\":1}", "h", 1, 1, 1, 10000, 0},
        {"10.0.0.5:3000", "{\"host\":\"10.0.0.6\",\"port\":4000}", "10.0.0.6", 4000, 1, 1, 10000,
         0},
        {"10.0.0.5:0", "{\"port\":65535}", "10.0.0.5", 65535, 1, 1, 10000, 0},
        {"a:1",
         "{\"weight\":65535,\"max_fails\":0,\"fail_timeout\":2.5,\"down\":1,\"metadata\":[7]}", "a",
         1, 65535, 0, 2500, 1},
        {"a:1", "{\"down\":true}", "a", 1, 1, 1, 10000, 1},
        {"a:1", "{\"down\":false,\"fail_timeout\":0.001}", "a", 1, 1, 1, 1, 0},
        {"a:1", "{\"max_fails\":1000000,\"fail_timeout\":86400}", "a", 1, 1, 1000000, 86400000, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct reading *one = &cases[i];
        struct member member;
        assert_int_equal(
            payload_read(one->name, strlen(one->name), one->value, strlen(one->value), &member), 0);
        assert_string_equal(member.id, one->name);
        assert_string_equal(member.host, one->host);
        assert_int_equal(member.port, one->port);
        assert_int_equal(member.weight, one->weight);
        assert_int_equal(member.max_fails, one->max_fails);
        assert_int_equal(member.fail_timeout_ms, one->fail_timeout_ms);
        assert_int_equal(member.is_down, one->is_down);
    }
}

static void test_nonsense_is_refused(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"", "{\"host\":\"h\",\"port\":1}"},
        {"a\nb", "{\"host\":\"h\",\"port\":1}"},
        {"a\xff", "{\"host\":\"h\",\"port\":1}"},
        {"a", ""},
        {"a:", ""},
        {"a:0", ""},
        {"a:65536", ""},
        {"a:123456", ""},
        {"a:-1", ""},
        {"a b:1", ""},
        {":1", ""},
        {"2001:db8::5:443", ""},
        {"[]:1", ""},
        {"a:1", "{"},
        {"a:1", "[]"},
        {"a:1", "7"},
        {"a:1", "{} {}"},
        {"a:1", "{\"weight\":0}"},
        {"a:1", "{\"weight\":65536}"},
        {"a:1", "{\"weight\":\"1\"}"},
        {"a:1", "{\"weight\":1.5}"},
        {"a:1", "{\"max_fails\":-1}"},
        {"a:1", "{\"max_fails\":1000001}"},
        {"a:1", "{\"fail_timeout\":-1}"},
        {"a:1", "{\"fail_timeout\":0}"},
        {"a:1", "{\"fail_timeout\":86401}"},
        {"a:1", "{\"fail_timeout\":1e300}"},
        {"a:1", "{\"fail_timeout\":\"1\"}"},
        {"a:1", "{\"down\":2}"},
        {"a:1", "{\"down\":\"no\"}"},
        {"a:1", "{\"host\":7}"},
        {"a:1", "{\"host\":\"a/b\"}"},
        {"a:1", "{\"port\":0}"},
        {"a:1", "{\"port\":65536}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct member member = {.port = 7};
        int r = payload_read(cases[i].name, strlen(cases[i].name), cases[i].value,
                             strlen(cases[i].value), &member);
        if (r != -EINVAL)
            fail_msg("'%s' with '%s' is taken", cases[i].name, cases[i].value);
        assert_int_equal(member.port, 7);
    }
}

static void test_what_is_written_is_read(void **state)
{
    const struct driver_record record = {
        .host = "2001:db8::5", .port = 3000, .status = DRIVER_DOWN};
    char name[PAYLOAD_NAME_SIZE], *value = payload_write(&plain, &record);
    struct member member;
    (void)state;
    payload_name(&record, name);
    assert_int_equal(payload_read(name, strlen(name), value, strlen(value), &member), 0);
    assert_string_equal(member.host, record.host);
    assert_int_equal(member.port, 3000);
    assert_int_equal(member.weight, 3);
    assert_int_equal(member.max_fails, 2);
    assert_int_equal(member.fail_timeout_ms, 15000);
    assert_int_equal(member.is_down, 1);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_is_host_and_port),
        cmocka_unit_test(test_value_has_what_others_need),
        cmocka_unit_test(test_who_starts_is_not_to_be_asked),
        cmocka_unit_test(test_members_are_read),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_what_is_written_is_read),
    };
    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
