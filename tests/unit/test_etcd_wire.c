/*
 * What is asked of etcd, and what its answers mean; the answers are those of etcd 3.4 unless they
 * are broken on purpose.
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

#include "discovery/registries/etcd_wire.h"

#define HEADER "\"header\":{\"cluster_id\":\"15118495548433857066\",\"revision\":\"4\"}"

static void expect_body(char *body, const char *expected)
{
    assert_non_null(body);
    assert_string_equal(body, expected);
    free(body);
}

static void test_bodies_of_requests(void **state)
{
    (void)state;
    expect_body(etcd_wire_grant(90), "{\"TTL\":\"90\"}");
    expect_body(etcd_wire_lease(INT64_MAX), "{\"ID\":\"9223372036854775807\"}");
    expect_body(etcd_wire_put("/s/a/x", "v", 5),
                "{\"key\":\"L3MvYS94\",\"value\":\"dg==\",\"lease\":\"5\"}");
    expect_body(etcd_wire_update("/s/a/x", "v", 5),
                "{\"compare\":[{\"key\":\"L3MvYS94\",\"target\":\"LEASE\",\"result\":\"EQUAL\","
                "\"lease\":\"5\"}],\"success\":[{\"request_put\":"
                "{\"key\":\"L3MvYS94\",\"value\":\"dg==\",\"lease\":\"5\"}}]}");
    expect_body(etcd_wire_count("/s/a/x"), "{\"key\":\"L3MvYS94\",\"count_only\":true}");
    expect_body(etcd_wire_delete("/s/a/x"), "{\"key\":\"L3MvYS94\"}");
    expect_body(etcd_wire_login("joe", "p\"w"), "{\"name\":\"joe\",\"password\":\"p\\\"w\"}");
    assert_null(etcd_wire_login("joe", "\xff"));
}

/* From "/s/a/" to before "/s/a0": all that begins with the former. */
static void test_ranges_end_behind_the_prefix(void **state)
{
    (void)state;
    expect_body(etcd_wire_range("/s/a/"),
                "{\"key\":\"L3MvYS8=\",\"range_end\":\"L3MvYTA=\",\"limit\":\"1024\"}");
    expect_body(etcd_wire_watch("/s/a/", 5),
                "{\"create_request\":{\"key\":\"L3MvYS8=\",\"range_end\":\"L3MvYTA=\","
                "\"start_revision\":\"5\"}}");
}

/* --- Refusals ---------------------------------------------------------------------------- */

#define ERROR(text, code) "{\"error\":\"" text "\",\"message\":\"" text "\",\"code\":" #code "}"

static void test_refusals(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum driver_outcome outcome;
        enum etcd_reason reason;
        const char *why;
    } cases[] = {
        {401, ERROR("etcdserver: invalid auth token", 16), DRIVER_DENIED, ETCD_NO_TOKEN,
         "it says: etcdserver: invalid auth token"},
        {400, ERROR("etcdserver: user name is empty", 3), DRIVER_DENIED, ETCD_NO_TOKEN,
         "it says: etcdserver: user name is empty"},
        {400, ERROR("etcdserver: revision of auth store is old", 3), DRIVER_DENIED, ETCD_NO_TOKEN,
         "it says: etcdserver: revision of auth store is old"},
        {400, ERROR("etcdserver: authentication failed, invalid user ID or password", 3),
         DRIVER_DENIED, ETCD_PLAIN,
         "it says: etcdserver: authentication failed, invalid user ID or password"},
        {403, ERROR("etcdserver: permission denied", 7), DRIVER_DENIED, ETCD_PLAIN,
         "it says: etcdserver: permission denied"},
        {412, ERROR("etcdserver: authentication is not enabled", 9), DRIVER_REJECTED, ETCD_NO_AUTH,
         "it says: etcdserver: authentication is not enabled"},
        {404, ERROR("etcdserver: requested lease not found", 5), DRIVER_FORGOTTEN, ETCD_PLAIN,
         "it says: etcdserver: requested lease not found"},
        {503, ERROR("etcdserver: no leader", 14), DRIVER_UNREACHABLE, ETCD_PLAIN,
         "it says: etcdserver: no leader"},
        {429, ERROR("etcdserver: mvcc: database space exceeded", 8), DRIVER_UNREACHABLE, ETCD_PLAIN,
         "it says: etcdserver: mvcc: database space exceeded"},
        {400, ERROR("illegal base64 data at input byte 0", 3), DRIVER_REJECTED, ETCD_PLAIN,
         "it says: illegal base64 data at input byte 0"},
        {503, "{\"code\":14,\"message\":\"no leader\",\"details\":[]}", DRIVER_UNREACHABLE,
         ETCD_PLAIN, "it says: no leader"},
        {500, "{\"error\":\"broken\"}", DRIVER_UNREACHABLE, ETCD_PLAIN, "it says: broken"},
        {404, "Not Found", DRIVER_REJECTED, ETCD_PLAIN, "it answers with status 404"},
        {401, "", DRIVER_DENIED, ETCD_PLAIN, "it answers with status 401"},
        {403, "[]", DRIVER_DENIED, ETCD_PLAIN, "it answers with status 403"},
        {408, "{\"message\":7}", DRIVER_UNREACHABLE, ETCD_PLAIN, "it answers with status 408"},
        {502, "<html>", DRIVER_UNREACHABLE, ETCD_PLAIN, "it answers with status 502"},
        {301, "", DRIVER_REJECTED, ETCD_PLAIN, "it answers with status 301"},
        {204, "", DRIVER_UNREACHABLE, ETCD_PLAIN, "it answers with status 204"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct etcd_refusal refusal;
        etcd_wire_refuse(cases[i].status, cases[i].body, strlen(cases[i].body), &refusal);
        assert_string_equal(refusal.why, cases[i].why);
        assert_int_equal(refusal.outcome, cases[i].outcome);
        assert_int_equal(refusal.reason, cases[i].reason);
    }
}

/* A gateway may repeat what it was sent. */
static void test_refused_logins_quote_nothing(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum driver_outcome outcome;
        enum etcd_reason reason;
        const char *why;
    } cases[] = {
        {400, ERROR("etcdserver: authentication failed, s3cret", 3), DRIVER_DENIED, ETCD_PLAIN,
         "it says: authentication failed"},
        {412, ERROR("etcdserver: authentication is not enabled", 9), DRIVER_REJECTED, ETCD_NO_AUTH,
         "it says: authentication is not enabled"},
        {400, ERROR("{\\\"password\\\":\\\"s3cret\\\"}", 3), DRIVER_REJECTED, ETCD_PLAIN,
         "it answers with status 400"},
        {502, "s3cret", DRIVER_UNREACHABLE, ETCD_PLAIN, "it answers with status 502"},
        {401, "", DRIVER_DENIED, ETCD_PLAIN, "it answers with status 401"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct etcd_refusal refusal;
        etcd_wire_refuse_login(cases[i].status, cases[i].body, strlen(cases[i].body), &refusal);
        assert_string_equal(refusal.why, cases[i].why);
        assert_int_equal(refusal.outcome, cases[i].outcome);
        assert_int_equal(refusal.reason, cases[i].reason);
    }
}

#define HIDDEN "what it says has a secret in it"

static void test_secrets_are_hidden(void **state)
{
    char text[1000];
    struct etcd_refusal refusal;
    (void)state;
    etcd_wire_refuse_text("bad token s3cret!", &refusal);
    etcd_wire_hide(NULL, &refusal);
    etcd_wire_hide("", &refusal);
    etcd_wire_hide("s3cret?", &refusal);
    assert_string_equal(refusal.why, "it says: bad token s3cret!");
    etcd_wire_hide("s3cret", &refusal);
    assert_string_equal(refusal.why, HIDDEN);
    /* Cut within it, at each place. */
    for (size_t begin = ETCD_WHY_SIZE - 30; begin < ETCD_WHY_SIZE - 9; begin++) {
        memset(text, 'x', sizeof(text));
        memcpy(text + begin, "correct-horse-battery-staple", 28);
        text[begin + 28] = '\0';
        etcd_wire_refuse_text(text, &refusal);
        etcd_wire_hide("correct-horse-battery-staple", &refusal);
        if (begin < ETCD_WHY_SIZE - 10)
            assert_string_equal(refusal.why, HIDDEN);
        else
            assert_null(strstr(refusal.why, "c"));
    }
}

static void test_long_refusals_are_cut(void **state)
{
    char body[1000];
    struct etcd_refusal refusal;
    (void)state;
    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"message\":\"", 12);
    memcpy(body + sizeof(body) - 2, "\"}", 2);
    etcd_wire_refuse(500, body, sizeof(body), &refusal);
    assert_int_equal(strlen(refusal.why), ETCD_WHY_SIZE - 1);
}

/* --- Answers ------------------------------------------------------------------------------- */

static void test_leases(void **state)
{
    static const struct {
        const char *body;
        int r;
        int64_t lease;
    } cases[] = {
        {"{" HEADER ",\"ID\":\"4111120153107710213\",\"TTL\":\"60\"}", 0, 4111120153107710213},
        {"{\"ID\":7}", 0, 7},
        {"{\"ID\":\"9223372036854775807\"}", 0, INT64_MAX},
        {"{\"ID\":\"9223372036854775808\"}", -EINVAL, 0},
        {"{\"ID\":\"0\"}", -EINVAL, 0},
        {"{\"ID\":\"-1\"}", -EINVAL, 0},
        {"{\"ID\":-1}", -EINVAL, 0},
        {"{\"ID\":\"1x\"}", -EINVAL, 0},
        {"{\"ID\":\"\"}", -EINVAL, 0},
        {"{\"ID\":\"1\\u00002\"}", -EINVAL, 0},
        {"{\"ID\":true}", -EINVAL, 0},
        {"{\"ID\":1.0}", -EINVAL, 0},
        {"{" HEADER "}", -EINVAL, 0},
        {"[]", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"{\"ID\":\"1\"", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t lease = 0;
        assert_int_equal(etcd_wire_read_grant(cases[i].body, strlen(cases[i].body), &lease),
                         cases[i].r);
        assert_int_equal(lease, cases[i].lease);
    }
}

static void expect_each(int (*read)(const char *body, size_t len), const char *const *bodies,
                        size_t n, int r)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(read(bodies[i], strlen(bodies[i])), r);
}

#define EXPECT_EACH(read, bodies, r) expect_each(read, bodies, sizeof(bodies) / sizeof(*bodies), r)

/* A lease that is not known is no error to etcd: the answer has no TTL. */
static void test_keepalive(void **state)
{
    static const char *const kept[] = {
        "{\"result\":{" HEADER ",\"ID\":\"12345\",\"TTL\":\"60\"}}\n",
        "{\"result\":{\"TTL\":1}}",
    };
    static const char *const gone[] = {
        "{\"result\":{" HEADER ",\"ID\":\"12345\"}}\n",
        "{\"result\":{\"ID\":\"12345\",\"TTL\":\"0\"}}",
        "{\"result\":{}}",
    };
    static const char *const broken[] = {
        "",
        "{}",
        "{\"result\":7}",
        "{\"result\":{\"TTL\":\"-1\"}}",
        "{\"error\":{\"message\":\"x\"}}",
    };
    (void)state;
    EXPECT_EACH(etcd_wire_read_keepalive, kept, 0);
    EXPECT_EACH(etcd_wire_read_keepalive, gone, -ENOENT);
    EXPECT_EACH(etcd_wire_read_keepalive, broken, -EINVAL);
}

static void test_update(void **state)
{
    static const char *const done[] = {"{" HEADER ",\"succeeded\":true,\"responses\":[{}]}"};
    static const char *const not_done[] = {"{" HEADER "}", "{" HEADER ",\"succeeded\":false}"};
    static const char *const broken[] = {"", "{}", "{\"succeeded\":true}", "7"};
    (void)state;
    EXPECT_EACH(etcd_wire_read_update, done, 0);
    EXPECT_EACH(etcd_wire_read_update, not_done, -ENOENT);
    EXPECT_EACH(etcd_wire_read_update, broken, -EINVAL);
}

static void test_count(void **state)
{
    static const struct {
        const char *body;
        int r;
        int64_t count;
    } cases[] = {
        {"{" HEADER ",\"count\":\"1\"}", 0, 1},
        {"{" HEADER "}", 0, 0},
        {"{\"count\":\"1\"}", -EINVAL, -1},
        {"{" HEADER ",\"count\":\"one\"}", -EINVAL, -1},
        {"null", -EINVAL, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t count = -1;
        assert_int_equal(etcd_wire_read_count(cases[i].body, strlen(cases[i].body), &count),
                         cases[i].r);
        assert_int_equal(count, cases[i].count);
    }
}

static void test_tokens(void **state)
{
    static const char *const broken[] = {
        "{\"token\":\"\"}",
        "{\"token\":\"a b\"}",
        "{\"token\":\"a\\u0000\"}",
        "{\"token\":\"a\\r\\nX: y\"}",
        "{\"token\":\"\xc3\xa4\"}",
        "{\"token\":7}",
        "{}",
        "x",
    };
    const char *body = "{" HEADER ",\"token\":\"QICjtPErGTJRZNLz.24\"}";
    char *token = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(etcd_wire_read_token(broken[i], strlen(broken[i]), &token), -EINVAL);
    assert_null(token);
    assert_int_equal(etcd_wire_read_token(body, strlen(body), &token), 0);
    assert_string_equal(token, "QICjtPErGTJRZNLz.24");
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_of_requests),
        cmocka_unit_test(test_ranges_end_behind_the_prefix),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refused_logins_quote_nothing),
        cmocka_unit_test(test_secrets_are_hidden),
        cmocka_unit_test(test_long_refusals_are_cut),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests_name("etcd_wire", tests, NULL, NULL);
}
