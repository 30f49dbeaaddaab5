/* Who may ask the admin site for what (admin/reach.h). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/reach.h"

#define TOKEN "0123456789abcdef"

static const struct reach_rules local = {.is_local = true, .own_names = true, .token = TOKEN};
static const struct reach_rules tokenless = {.is_local = true, .own_names = true, .token = ""};
static const struct reach_rules named = {.is_local = true, .own_names = false, .token = TOKEN};
static const struct reach_rules public = {.is_local = false, .own_names = false, .token = TOKEN};

struct row {
    const char *name;
    const struct reach_rules *rules;
    enum reach_need need;
    struct reach_request request;
    enum reach_answer answer;
};

#define HOST        .host = "127.0.0.1:9090"
#define BEARS(what) .authorization = "Bearer " what

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum reach_answer answer = reach_judge(rows[i].rules, rows[i].need, &rows[i].request);
        if (answer != rows[i].answer)
            fail_msg("%s: %d, not %d", rows[i].name, (int)answer, (int)rows[i].answer);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void readers_beyond_this_machine_need_the_token(void **state)
{
    static const struct row rows[] = {
        {"nothing, nobody", &public, REACH_NOTHING, {HOST}, REACH_GRANTED},
        {"nothing, wrong", &public, REACH_NOTHING, {HOST, BEARS("x")}, REACH_GRANTED},
        {"local", &local, REACH_READING, {HOST}, REACH_GRANTED},
        {"local, wrong", &local, REACH_READING, {HOST, BEARS("x")}, REACH_GRANTED},
        {"none", &public, REACH_READING, {HOST}, REACH_NO_TOKEN},
        {"right", &public, REACH_READING, {HOST, BEARS(TOKEN)}, REACH_GRANTED},
        {"scheme in any case",
         &public,
         REACH_READING,
         {HOST, .authorization = "bEARER " TOKEN},
         REACH_GRANTED},
        {"two blanks", &public, REACH_READING, {HOST, BEARS(" " TOKEN)}, REACH_GRANTED},
        {"another scheme",
         &public,
         REACH_READING,
         {HOST, .authorization = "Basic " TOKEN},
         REACH_NO_TOKEN},
        {"scheme alone", &public, REACH_READING, {HOST, BEARS("")}, REACH_WRONG_TOKEN},
        {"no scheme", &public, REACH_READING, {HOST, .authorization = TOKEN}, REACH_NO_TOKEN},
        {"first byte",
         &public,
         REACH_READING,
         {HOST, BEARS("X123456789abcdef")},
         REACH_WRONG_TOKEN},
        {"last byte", &public, REACH_READING, {HOST, BEARS("0123456789abcdeX")}, REACH_WRONG_TOKEN},
        {"shorter", &public, REACH_READING, {HOST, BEARS("0123456789abcde")}, REACH_WRONG_TOKEN},
        {"longer", &public, REACH_READING, {HOST, BEARS(TOKEN "0")}, REACH_WRONG_TOKEN},
        {"twice", &public, REACH_READING, {HOST, BEARS(TOKEN TOKEN)}, REACH_WRONG_TOKEN},
        {"other case",
         &public,
         REACH_READING,
         {HOST, BEARS("0123456789ABCDEF")},
         REACH_WRONG_TOKEN},
        {"blank behind", &public, REACH_READING, {HOST, BEARS(TOKEN " ")}, REACH_WRONG_TOKEN},
    };

    (void)state;
    CHECK(rows);
}

static void on_loopback_other_names_are_refused(void **state)
{
    static const struct {
        const char *host;
        enum reach_answer answer;
    } hosts[] = {
        {"127.0.0.1", REACH_GRANTED},
        {"127.0.0.1:9090", REACH_GRANTED},
        {"127.255.255.254:1", REACH_GRANTED},
        {"localhost", REACH_GRANTED},
        {"LocalHost:9090", REACH_GRANTED},
        {"[::1]", REACH_GRANTED},
        {"[::1]:9090", REACH_GRANTED},
        {"", REACH_GRANTED},
        {"128.0.0.1", REACH_OTHER_HOST},
        {"126.255.255.255", REACH_OTHER_HOST},
        {"0.0.0.0", REACH_OTHER_HOST},
        {"[::]", REACH_OTHER_HOST},
        {"[::2]", REACH_OTHER_HOST},
        {"evil.example", REACH_OTHER_HOST},
        {"localhost.evil.example", REACH_OTHER_HOST},
        {"127.0.0.1.evil.example", REACH_OTHER_HOST},
        {"evil-localhost", REACH_OTHER_HOST},
        {"127.1", REACH_OTHER_HOST},
        {"2130706433", REACH_OTHER_HOST},
        {"localhost:x", REACH_OTHER_HOST},
        {"a-name-that-is-longer-than-any-address-could-ever-be.example", REACH_OTHER_HOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct reach_request request = {.host = hosts[i].host};
        if (reach_judge(&local, REACH_NOTHING, &request) != hosts[i].answer)
            fail_msg("%s", hosts[i].host);
        assert_int_equal(reach_judge(&named, REACH_NOTHING, &request), REACH_GRANTED);
        assert_int_equal(reach_judge(&public, REACH_NOTHING, &request), REACH_GRANTED);
    }
}

static void orders_need_the_token_and_no_other_site(void **state)
{
#define ORDER(...)                      \
    {                                   \
        HOST, BEARS(TOKEN), __VA_ARGS__ \
    }
    static const struct row rows[] = {
        {"right", &local, REACH_ORDERS, {HOST, BEARS(TOKEN)}, REACH_GRANTED},
        {"none", &local, REACH_ORDERS, {HOST}, REACH_NO_TOKEN},
        {"wrong", &local, REACH_ORDERS, {HOST, BEARS("x")}, REACH_WRONG_TOKEN},
        {"no token is set", &tokenless, REACH_ORDERS, {HOST, BEARS(TOKEN)}, REACH_NO_ORDERS},
        {"no token is set, empty", &tokenless, REACH_ORDERS, {HOST, BEARS("")}, REACH_NO_ORDERS},
        {"own origin", &local, REACH_ORDERS, ORDER(.origin = "http://127.0.0.1:9090"),
         REACH_GRANTED},
        {"other port", &local, REACH_ORDERS, ORDER(.origin = "http://127.0.0.1:9091"),
         REACH_OTHER_ORIGIN},
        {"no port", &local, REACH_ORDERS, ORDER(.origin = "http://127.0.0.1"), REACH_OTHER_ORIGIN},
        {"other name", &local, REACH_ORDERS, ORDER(.origin = "http://localhost:9090"),
         REACH_OTHER_ORIGIN},
        {"other site", &local, REACH_ORDERS, ORDER(.origin = "http://evil.example"),
         REACH_OTHER_ORIGIN},
        {"other site, no token",
         &local,
         REACH_ORDERS,
         {HOST, .origin = "http://evil.example"},
         REACH_OTHER_ORIGIN},
        {"null", &local, REACH_ORDERS, ORDER(.origin = "null"), REACH_OTHER_ORIGIN},
        {"empty", &local, REACH_ORDERS, ORDER(.origin = ""), REACH_OTHER_ORIGIN},
        {"other scheme", &local, REACH_ORDERS, ORDER(.origin = "file://127.0.0.1:9090"),
         REACH_OTHER_ORIGIN},
        {"with a path", &local, REACH_ORDERS, ORDER(.origin = "http://127.0.0.1:9090/x"),
         REACH_OTHER_ORIGIN},
        {"userinfo", &local, REACH_ORDERS, ORDER(.origin = "http://127.0.0.1:9090@evil.example"),
         REACH_OTHER_ORIGIN},
        {"behind TLS",
         &public,
         REACH_ORDERS,
         {.host = "a.example", BEARS(TOKEN), .origin = "https://A.example"},
         REACH_GRANTED},
        {"same origin", &local, REACH_ORDERS, ORDER(.fetch_site = "same-origin"), REACH_GRANTED},
        {"typed", &local, REACH_ORDERS, ORDER(.fetch_site = "none"), REACH_GRANTED},
        {"same site", &local, REACH_ORDERS, ORDER(.fetch_site = "same-site"), REACH_OTHER_ORIGIN},
        {"cross site", &local, REACH_ORDERS, ORDER(.fetch_site = "cross-site"), REACH_OTHER_ORIGIN},
        {"own origin, cross site", &local, REACH_ORDERS,
         ORDER(.origin = "http://127.0.0.1:9090", .fetch_site = "cross-site"), REACH_OTHER_ORIGIN},
        {"reading is not asked for its origin",
         &local,
         REACH_READING,
         {HOST, .origin = "http://evil.example"},
         REACH_GRANTED},
    };

    (void)state;
    CHECK(rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_beyond_this_machine_need_the_token),
        cmocka_unit_test(on_loopback_other_names_are_refused),
        cmocka_unit_test(orders_need_the_token_and_no_other_site),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
