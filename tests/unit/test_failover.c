/*
 * When a request that has failed at one server may go to another.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "proxy/failover.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define USUAL (CONF_NEXT_ERROR | CONF_NEXT_TIMEOUT)

struct row {
    const char *what;
    unsigned next;
    long tries;
    long timeout_ms;
    struct failover failover;
    bool allowed;
};

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct conf_upstream conf = {.next = rows[i].next,
                                           .next_tries = rows[i].tries,
                                           .next_timeout_ms = rows[i].timeout_ms};
        if (failover_is_allowed(&conf, &rows[i].failover) != rows[i].allowed)
            fail_msg("%s", rows[i].what);
    }
}

static void the_reason_must_be_configured(void **state)
{
    static const struct row rows[] = {
        {"error", USUAL, 0, 0, {CONF_NEXT_ERROR, "GET", true, true, 1, 0}, true},
        {"timeout", USUAL, 0, 0, {CONF_NEXT_TIMEOUT, "GET", true, true, 1, 0}, true},
        {"not a bad head", USUAL, 0, 0, {CONF_NEXT_INVALID_HEADER, "GET", true, true, 1, 0}, false},
        {"not 503", USUAL, 0, 0, {CONF_NEXT_HTTP_503, "GET", true, true, 1, 0}, false},
        {"503",
         USUAL | CONF_NEXT_HTTP_503,
         0,
         0,
         {CONF_NEXT_HTTP_503, "GET", true, true, 1, 0},
         true},
        {"off", 0, 0, 0, {CONF_NEXT_ERROR, "GET", false, true, 1, 0}, false},
        {"another bit alone",
         CONF_NEXT_NON_IDEMPOTENT,
         0,
         0,
         {CONF_NEXT_ERROR, "GET", false, true, 1, 0},
         false},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void what_has_effects_is_not_repeated(void **state)
{
    static const struct {
        const char *method;
        bool repeated; /* once it was sent */
    } methods[] = {{"GET", true},     {"HEAD", true},  {"PUT", true},   {"DELETE", true},
                   {"OPTIONS", true}, {"POST", false}, {"PATCH", false}};

    (void)state;
    for (size_t i = 0; i < LENGTH(methods); i++) {
        const char *method = methods[i].method;
        const struct row rows[] = {
            {method, USUAL, 0, 0, {CONF_NEXT_ERROR, method, false, true, 1, 0}, true},
            {method, USUAL, 0, 0, {CONF_NEXT_ERROR, method, true, true, 1, 0}, methods[i].repeated},
            {method,
             USUAL | CONF_NEXT_NON_IDEMPOTENT,
             0,
             0,
             {CONF_NEXT_ERROR, method, true, true, 1, 0},
             true},
        };
        run(rows, LENGTH(rows));
    }
}

static void a_body_that_is_gone_is_not_sent_again(void **state)
{
    static const struct row rows[] = {
        {"PUT", USUAL, 0, 0, {CONF_NEXT_ERROR, "PUT", true, false, 1, 0}, false},
        {"unsent", USUAL, 0, 0, {CONF_NEXT_ERROR, "POST", false, false, 1, 0}, false},
        {"non_idempotent",
         USUAL | CONF_NEXT_NON_IDEMPOTENT,
         0,
         0,
         {CONF_NEXT_TIMEOUT, "POST", true, false, 1, 0},
         false},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void tries_and_time_have_an_end(void **state)
{
    static const struct row rows[] = {
        {"no limits", USUAL, 0, 0, {CONF_NEXT_ERROR, "GET", true, true, 127, INT32_MAX}, true},
        {"the only try", USUAL, 1, 0, {CONF_NEXT_ERROR, "GET", true, true, 1, 0}, false},
        {"one more", USUAL, 3, 0, {CONF_NEXT_ERROR, "GET", true, true, 2, 0}, true},
        {"the last one", USUAL, 3, 0, {CONF_NEXT_ERROR, "GET", true, true, 3, 0}, false},
        {"in time", USUAL, 0, 1000, {CONF_NEXT_ERROR, "GET", true, true, 5, 999}, true},
        {"too late", USUAL, 0, 1000, {CONF_NEXT_ERROR, "GET", true, true, 1, 1000}, false},
        {"tries left, too late", USUAL, 9, 1, {CONF_NEXT_ERROR, "GET", true, true, 1, 1}, false},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void statuses_are_reasons(void **state)
{
    static const struct {
        int status;
        unsigned reason;
    } rows[] = {
        {403, CONF_NEXT_HTTP_403},
        {404, CONF_NEXT_HTTP_404},
        {429, CONF_NEXT_HTTP_429},
        {500, CONF_NEXT_HTTP_500},
        {502, CONF_NEXT_HTTP_502},
        {503, CONF_NEXT_HTTP_503},
        {504, CONF_NEXT_HTTP_504},
        {200, 0},
        {304, 0},
        {400, 0},
        {501, 0},
        {505, 0},
        {599, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct conf_upstream conf = {.next = USUAL | CONF_NEXT_INVALID_HEADER};
        assert_int_equal(failover_status(&conf, rows[i].status), 0);
        conf.next = ~0U;
        assert_int_equal(failover_status(&conf, rows[i].status), rows[i].reason);
        conf.next = ~rows[i].reason;
        assert_int_equal(failover_status(&conf, rows[i].status), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reason_must_be_configured),
        cmocka_unit_test(what_has_effects_is_not_repeated),
        cmocka_unit_test(a_body_that_is_gone_is_not_sent_again),
        cmocka_unit_test(tries_and_time_have_an_end),
        cmocka_unit_test(statuses_are_reasons),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
