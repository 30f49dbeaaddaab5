/*
 * The members of a service in etcd: a range, and lines of a watch.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "discovery/base64.h"
#include "discovery/registries/etcd_members.h"

#define PREFIX "/services/api/"

/* --- What etcd would say ----------------------------------------------------------------- */

static void add_encoded(struct bytes *text, const char *name, const char *data)
{
    char *encoded = base64_encode(data, strlen(data));
    bytes_add_text(text, name);
    bytes_add_text(text, encoded);
    bytes_add_text(text, "\"");
    free(encoded);
}

/* `value` NULL: the key is deleted. */
static void add_kv(struct bytes *text, const char *key, const char *value, unsigned revision)
{
    add_encoded(text, "{\"key\":\"", key);
    bytes_add_text(text, ",\"mod_revision\":\"");
    bytes_add_number(text, revision);
    bytes_add_text(text, "\"");
    if (value != NULL && value[0] != '\0')
        add_encoded(text, ",\"value\":\"", value);
    bytes_add_text(text, "}");
}

static void add_event(struct bytes *line, const char *key, const char *value, unsigned revision)
{
    bytes_add_text(line, value == NULL ? "{\"type\":\"DELETE\",\"kv\":" : "{\"kv\":");
    add_kv(line, key, value, revision);
    bytes_add_text(line, "}");
}

static void apply(struct etcd_members *members, const char *line, enum etcd_event expected)
{
    struct etcd_refusal refusal;
    enum etcd_event event = ETCD_ENDED;
    assert_int_equal(etcd_members_apply(members, line, strlen(line), PREFIX, &event, &refusal), 0);
    assert_int_equal(event, expected);
}

static void apply_event(struct etcd_members *members, const char *key, const char *value,
                        unsigned revision, enum etcd_event expected)
{
    struct bytes line = {0};
    bytes_add_text(&line, "{\"result\":{\"header\":{\"revision\":\"999\"},\"events\":[");
    add_event(&line, key, value, revision);
    bytes_add_text(&line, "]}}");
    apply(members, line.at, expected);
    bytes_free(&line);
}

/* --- Ranges -------------------------------------------------------------------------------- */

static int read_body(const char *body, struct etcd_members *members)
{
    return etcd_members_read(body, strlen(body), PREFIX, members);
}

static void test_no_keys_are_an_empty_list(void **state)
{
    struct etcd_members members;
    (void)state;
    assert_int_equal(read_body("{\"header\":{\"revision\":\"4\"}}", &members), 0);
    assert_int_equal(members.n, 0);
    assert_int_equal(members.revision, 4);
    etcd_members_free(&members);
}

/* One that makes no sense costs only itself; what is below another '/' is another's. */
static void test_each_key_is_a_member_or_left_out(void **state)
{
    struct etcd_members members;
    struct bytes body = {0};
    (void)state;
    bytes_add_text(&body, "{\"header\":{\"revision\":\"9\"},\"kvs\":[");
    add_kv(&body, PREFIX "10.0.0.1:80", "{\"weight\":2}", 3);
    bytes_add_text(&body, ",");
    add_kv(&body, PREFIX "10.0.0.2:80", "no JSON", 4);
    bytes_add_text(&body, ",");
    add_kv(&body, PREFIX "v2/10.0.0.3:80", "{}", 5);
    bytes_add_text(&body, ",");
    add_kv(&body, "/services/api2/10.0.0.4:80", "{}", 5);
    bytes_add_text(&body, ",{\"key\":\"!\"},7,");
    add_kv(&body, PREFIX "10.0.0.5:80", "", 6);
    bytes_add_text(&body, "],\"more\":false,\"count\":\"5\"}");
    assert_int_equal(read_body(body.at, &members), 0);
    assert_int_equal(members.n, 2);
    assert_string_equal(members.at[0].id, "10.0.0.1:80");
    assert_int_equal(members.at[0].weight, 2);
    assert_string_equal(members.at[1].id, "10.0.0.5:80");
    assert_int_equal(members.n_skipped, 2);
    assert_int_equal(members.revision, 9);
    etcd_members_free(&members);
    bytes_free(&body);
}

static void test_no_more_than_so_many_are_kept(void **state)
{
    struct etcd_members members;
    struct bytes body = {0};
    (void)state;
    bytes_add_text(&body, "{\"header\":{\"revision\":\"9\"},\"kvs\":[");
    for (unsigned i = 0; i < MEMBERS_MAX + 5; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), PREFIX "h%u:80", i);
        bytes_add_text(&body, i == 0 ? "" : ",");
        add_kv(&body, key, "{}", 3);
    }
    bytes_add_text(&body, "]}");
    assert_int_equal(read_body(body.at, &members), 0);
    assert_int_equal(members.n, MEMBERS_MAX);
    assert_int_equal(members.n_skipped, 5);
    etcd_members_free(&members);
    bytes_free(&body);
}

static void test_what_is_no_range_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "{\"header\":{}}",
        "{\"header\":{\"revision\":\"x\"}}",
        "{\"header\":{\"revision\":\"-1\"}}",
        "{\"header\":{\"revision\":\"9223372036854775807\"}}",
        "{\"header\":{\"revision\":9223372036854775807}}",
        "{\"header\":{\"revision\":\"4\"},\"kvs\":{}}",
        "{\"header\":{\"revision\":\"4\"},\"kvs\":[}",
        "{\"header\":{\"revision\":\"4\"}} {}",
    };
    struct etcd_members members = {.n = 7};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_int_equal(read_body(bodies[i], &members), -EINVAL);
    assert_int_equal(members.n, 7);
}

/* --- Lines ----------------------------------------------------------------------------------- */

static void test_events_change_the_list(void **state)
{
    struct etcd_members members = {.revision = 4};
    (void)state;
    apply_event(&members, PREFIX "a:1", "{}", 5, ETCD_CHANGED);
    apply_event(&members, PREFIX "b:1", "{\"weight\":2}", 6, ETCD_CHANGED);
    assert_int_equal(members.n, 2);
    apply_event(&members, PREFIX "a:1", "{}", 7, ETCD_NOTHING);
    apply_event(&members, PREFIX "b:1", "{\"weight\":3}", 8, ETCD_CHANGED);
    assert_int_equal(members.at[1].weight, 3);
    apply_event(&members, PREFIX "a:1", NULL, 9, ETCD_CHANGED);
    apply_event(&members, PREFIX "a:1", NULL, 10, ETCD_NOTHING);
    assert_int_equal(members.n, 1);
    assert_string_equal(members.at[0].id, "b:1");
    assert_int_equal(members.revision, 10);
    etcd_members_free(&members);
}

/* It was one, and is none that can be asked now. */
static void test_a_value_without_sense_ends_a_member(void **state)
{
    struct etcd_members members = {0};
    (void)state;
    apply_event(&members, PREFIX "a:1", "{}", 5, ETCD_CHANGED);
    apply_event(&members, PREFIX "a:1", "{\"port\":0}", 6, ETCD_CHANGED);
    assert_int_equal(members.n, 0);
    assert_int_equal(members.n_skipped, 1);
    etcd_members_free(&members);
}

static void test_events_of_one_line_are_one_change(void **state)
{
    struct etcd_members members = {0};
    struct bytes line = {0};
    (void)state;
    bytes_add_text(&line, "{\"result\":{\"events\":[");
    add_event(&line, PREFIX "a:1", "{}", 5);
    bytes_add_text(&line, ",7,{\"kv\":{\"key\":\"A\"}},");
    add_event(&line, PREFIX "b:1", "{}", 6);
    bytes_add_text(&line, ",");
    add_event(&line, PREFIX "a:1", NULL, 7);
    bytes_add_text(&line, "]}}\n");
    apply(&members, line.at, ETCD_CHANGED);
    assert_int_equal(members.n, 1);
    assert_string_equal(members.at[0].id, "b:1");
    assert_int_equal(members.revision, 7);
    etcd_members_free(&members);
    bytes_free(&line);
}

/* The watch that follows asks for the one behind it. */
static void test_there_is_a_revision_behind_each(void **state)
{
    struct etcd_members members = {.revision = 4};
    (void)state;
    apply(&members,
          "{\"result\":{\"events\":[{\"kv\":{\"key\":\"L3NlcnZpY2VzL2FwaS9hOjE=\","
          "\"mod_revision\":\"9223372036854775807\",\"value\":\"e30=\"}}]}}",
          ETCD_NOTHING);
    assert_int_equal(members.revision, 4);
    assert_int_equal(members.n, 0);
    assert_int_equal(members.n_skipped, 1);
    apply(&members,
          "{\"result\":{\"events\":[{\"kv\":{\"key\":\"L3NlcnZpY2VzL2FwaS9hOjE=\","
          "\"mod_revision\":\"9223372036854775806\",\"value\":\"e30=\"}}]}}",
          ETCD_CHANGED);
    assert_int_equal(members.revision, INT64_MAX - 1);
    etcd_members_free(&members);
}

static void test_lines_without_events_say_nothing(void **state)
{
    struct etcd_members members = {.revision = 4};
    (void)state;
    apply(&members, "{\"result\":{\"header\":{\"revision\":\"9\"},\"created\":true}}",
          ETCD_NOTHING);
    apply(&members, "{\"result\":{\"header\":{\"revision\":\"9\"}}}", ETCD_NOTHING);
    apply(&members, "{\"result\":{\"events\":7}}", ETCD_NOTHING);
    assert_int_equal(members.revision, 4);
}

static void test_ends_of_a_watch(void **state)
{
    static const struct {
        const char *line;
        enum driver_outcome outcome;
        enum etcd_reason reason;
    } cases[] = {
        {"{\"result\":{\"canceled\":true,\"compact_revision\":\"3\"}}", DRIVER_DONE, ETCD_PLAIN},
        {"{\"result\":{\"canceled\":true}}", DRIVER_UNREACHABLE, ETCD_PLAIN},
        {"{\"result\":{\"watch_id\":\"-1\",\"created\":true,\"canceled\":true,\"cancel_reason\":"
         "\"rpc error: code = PermissionDenied desc = etcdserver: permission denied\"}}",
         DRIVER_DENIED, ETCD_PLAIN},
        {"{\"result\":{\"created\":true,\"canceled\":true,\"cancel_reason\":"
         "\"rpc error: code = Unauthenticated desc = etcdserver: invalid auth token\"}}",
         DRIVER_DENIED, ETCD_NO_TOKEN},
        {"{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\"}}",
         DRIVER_UNREACHABLE, ETCD_PLAIN},
        {"{\"error\":\"etcdserver: permission denied\",\"code\":7}", DRIVER_DENIED, ETCD_PLAIN},
        {"{\"error\":7}", DRIVER_UNREACHABLE, ETCD_PLAIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct etcd_members members = {0};
        struct etcd_refusal refusal = {0};
        enum etcd_event event = ETCD_NOTHING;
        assert_int_equal(etcd_members_apply(&members, cases[i].line, strlen(cases[i].line), PREFIX,
                                            &event, &refusal),
                         0);
        assert_int_equal(event, ETCD_ENDED);
        assert_int_equal(refusal.outcome, cases[i].outcome);
        assert_int_equal(refusal.reason, cases[i].reason);
    }
}

static void test_what_is_no_line_is_refused(void **state)
{
    static const char *const lines[] = {
        "", "x", "{}", "[]", "{\"result\":7}", "{\"result\":{}", "{\"result\":{}} {}"};
    struct etcd_members members = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct etcd_refusal refusal;
        enum etcd_event event;
        assert_int_equal(
            etcd_members_apply(&members, lines[i], strlen(lines[i]), PREFIX, &event, &refusal),
            -EINVAL);
    }
}

static void test_lists_are_equal_in_any_order(void **state)
{
    struct etcd_members a = {0}, b = {0};
    (void)state;
    assert_true(etcd_members_equal(&a, &b));
    apply_event(&a, PREFIX "a:1", "{}", 5, ETCD_CHANGED);
    assert_false(etcd_members_equal(&a, &b));
    apply_event(&b, PREFIX "b:1", "{}", 5, ETCD_CHANGED);
    assert_false(etcd_members_equal(&a, &b));
    apply_event(&a, PREFIX "b:1", "{}", 6, ETCD_CHANGED);
    apply_event(&b, PREFIX "a:1", "{}", 6, ETCD_CHANGED);
    assert_true(etcd_members_equal(&a, &b));
    apply_event(&b, PREFIX "a:1", "{\"down\":1}", 7, ETCD_CHANGED);
    assert_false(etcd_members_equal(&a, &b));
    etcd_members_free(&a);
    etcd_members_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_keys_are_an_empty_list),
        cmocka_unit_test(test_each_key_is_a_member_or_left_out),
        cmocka_unit_test(test_no_more_than_so_many_are_kept),
        cmocka_unit_test(test_what_is_no_range_is_refused),
        cmocka_unit_test(test_events_change_the_list),
        cmocka_unit_test(test_a_value_without_sense_ends_a_member),
        cmocka_unit_test(test_events_of_one_line_are_one_change),
        cmocka_unit_test(test_there_is_a_revision_behind_each),
        cmocka_unit_test(test_lines_without_events_say_nothing),
        cmocka_unit_test(test_ends_of_a_watch),
        cmocka_unit_test(test_what_is_no_line_is_refused),
        cmocka_unit_test(test_lists_are_equal_in_any_order),
    };
    return cmocka_run_group_tests_name("etcd_members", tests, NULL, NULL);
}
