/*
 * Consul: what is sent for each task, what each status means, which instances are found, and
 * what a look-up waits from.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/registry.h"
#include "discovery/registries/consul_wire.h"
#include "wire_fixture.h"

/* Of a case that is about all tasks. */
#define ALL DRIVER_TASKS

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static int reset(void **state)
{
    (void)state;
    wire_reset();
    return 0;
}

/* --- Requests ------------------------------------------------------------------------ */

static void says_what_it_is(void **state)
{
    static char *metadata[] = {(char *)"zone=a"};

    (void)state;
    wire_conf.metadata = (struct conf_list){metadata, N_OF(metadata)};
    wire_conf.weight = 3;
    assert_string_equal(
        wire_ask(&consul_wire, DRIVER_REGISTER, 0),
        "PUT /v1/agent/service/register "
        "{\"ID\":\"10.0.0.5:api:3000\",\"Name\":\"api\",\"Address\":\"10.0.0.5\",\"Port\":3000,"
        "\"Meta\":{\"zone\":\"a\",\"weight\":\"3\",\"max_fails\":\"2\",\"fail_timeout\":\"10\"},"
        "\"Check\":{\"TTL\":\"90000ms\",\"DeregisterCriticalServiceAfter\":\"900000ms\","
        "\"Status\":\"passing\"},"
        "\"Weights\":{\"Passing\":3,\"Warning\":1}}");
}

static void is_critical_until_it_is_up(void **state)
{
    static const enum driver_status others[] = {DRIVER_STARTING, DRIVER_DOWN};

    (void)state;
    for (size_t i = 0; i < N_OF(others); i++) {
        wire_record.status = others[i];
        assert_non_null(
            strstr(wire_ask(&consul_wire, DRIVER_REGISTER, 0), "\"Status\":\"critical\""));
    }
}

static void stays_a_minute_at_least(void **state)
{
    (void)state;
    wire_conf.ttl_ms = 1000;
    assert_non_null(strstr(wire_ask(&consul_wire, DRIVER_REGISTER, 0),
                           "\"TTL\":\"1000ms\",\"DeregisterCriticalServiceAfter\":\"60000ms\""));
}

static void tells_its_check(void **state)
{
    static const struct {
        enum driver_status status;
        const char *request;
    } cases[] = {
        {DRIVER_STARTING, "PUT /v1/agent/check/fail/service%3Aa%2Fb?note=STARTING"},
        {DRIVER_UP, "PUT /v1/agent/check/pass/service%3Aa%2Fb?note=UP"},
        {DRIVER_DOWN, "PUT /v1/agent/check/fail/service%3Aa%2Fb?note=DOWN"},
    };

    (void)state;
    wire_record.instance_id = "a/b";
    for (size_t i = 0; i < N_OF(cases); i++) {
        wire_record.status = cases[i].status;
        assert_string_equal(wire_ask(&consul_wire, DRIVER_REGISTER, 1), cases[i].request);
        assert_string_equal(wire_ask(&consul_wire, DRIVER_HEARTBEAT, 0), cases[i].request);
        assert_string_equal(wire_ask(&consul_wire, DRIVER_REPORT, 0), cases[i].request);
    }
    assert_string_equal(wire_ask(&consul_wire, DRIVER_DEREGISTER, 0),
                        "PUT /v1/agent/service/deregister/a%2Fb");
}

static void waits_for_changes(void **state)
{
    static const struct {
        uint64_t index;
        long refresh_ms;
        const char *request;
        long timeout_ms;
    } cases[] = {
        {0, 30000, "GET /v1/health/service/a%20b?passing=1", 0},
        {17, 60000, "GET /v1/health/service/a%20b?passing=1&index=17&wait=60000ms", 68750},
        {1, 30000, "GET /v1/health/service/a%20b?passing=1&index=1&wait=30000ms", 36875},
        {UINT64_MAX, 10,
         "GET /v1/health/service/a%20b?passing=1&index=18446744073709551615&wait=1000ms", 6062},
        {5, 86400000, "GET /v1/health/service/a%20b?passing=1&index=5&wait=600000ms", 642500},
    };
    long timeout_ms;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        wire_conf.refresh_ms = cases[i].refresh_ms;
        assert_string_equal(wire_ask_members(&consul_wire, "a b", cases[i].index, &timeout_ms),
                            cases[i].request);
        assert_int_equal(timeout_ms, cases[i].timeout_ms);
    }
}

/* --- Answers -------------------------------------------------------------------------- */

static void knows_what_a_status_means(void **state)
{
    static const struct {
        enum driver_task task;
        unsigned step;
        int status;
        const char *body;
        enum driver_outcome outcome;
    } cases[] = {
        {ALL, 0, 0, "", DRIVER_UNREACHABLE},
        {ALL, 0, 200, "", DRIVER_DONE},
        {DRIVER_REGISTER, 1, 200, "", DRIVER_DONE},
        {ALL, 0, 204, "", DRIVER_UNREACHABLE},
        {ALL, 0, 301, "", DRIVER_UNREACHABLE},
        {ALL, 0, 400, "", DRIVER_REJECTED},
        {ALL, 0, 401, "", DRIVER_DENIED},
        {ALL, 0, 403, "Permission denied", DRIVER_DENIED},
        {ALL, 0, 429, "", DRIVER_UNREACHABLE},
        {ALL, 0, 500, "No cluster leader", DRIVER_UNREACHABLE},
        {DRIVER_REGISTER, 0, 404, "", DRIVER_REJECTED},
        {DRIVER_REGISTER, 1, 404, "", DRIVER_UNREACHABLE},
        {DRIVER_HEARTBEAT, 0, 404, "", DRIVER_FORGOTTEN},
        {DRIVER_REPORT, 0, 404, "", DRIVER_FORGOTTEN},
        {DRIVER_DEREGISTER, 0, 404, "", DRIVER_DONE},
        {DRIVER_HEARTBEAT, 0, 500, "Unknown check \"service:a\"", DRIVER_FORGOTTEN},
        {DRIVER_HEARTBEAT, 0, 500, "CheckID \"service:a\" does not have associated TTL",
         DRIVER_FORGOTTEN},
    };

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++)
        for (enum driver_task task = DRIVER_REGISTER; task < DRIVER_TASKS; task++) {
            if (cases[i].task != ALL && cases[i].task != task)
                continue;
            assert_int_equal(
                wire_judge(&consul_wire, task, cases[i].step, cases[i].status, cases[i].body),
                cases[i].outcome);
            if (cases[i].outcome != DRIVER_DONE)
                assert_string_not_equal(wire_why(), "");
        }
}

#define ENTRY(node, service) "{\"Node\":{" node "},\"Service\":{" service "}}"
#define NODE                 "\"Node\":\"n1\",\"Address\":\"10.0.0.9\""
#define SERVICE              "\"ID\":\"a\",\"Address\":\"10.0.0.1\",\"Port\":80"
#define FOUND                "a@n1 10.0.0.1:80 1 1 10000"

static void finds_instances(void **state)
{
    static const struct {
        const char *body;
        const char *members;
        size_t n_bad;
    } cases[] = {
        {"[]", "", 0},
        {"[" ENTRY(NODE, SERVICE) "]", FOUND, 0},
        {"[" ENTRY(NODE, SERVICE) "," ENTRY("\"Node\":\"n2\"", SERVICE) "]",
         FOUND ";a@n2 10.0.0.1:80 1 1 10000", 0},
        /* which address */
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Address\":\"\",\"Port\":80") "]",
         "a@n1 10.0.0.9:80 1 1 10000", 0},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Port\":80") "]", "a@n1 10.0.0.9:80 1 1 10000", 0},
        {"[" ENTRY("\"Node\":\"n1\"", "\"ID\":\"a\",\"Port\":80") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Address\":\"a b\",\"Port\":80") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Address\":\"h.test\",\"Port\":80") "]",
         "a@n1 h.test:80 1 1 10000", 0},
        /* which port and id */
        {"[" ENTRY(NODE, "\"ID\":\"a\"") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Port\":0") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Port\":65536") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\",\"Port\":\"80\"") "]", "", 1},
        {"[" ENTRY(NODE, "\"Port\":80") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"\",\"Port\":80") "]", "", 1},
        {"[" ENTRY(NODE, "\"ID\":\"a\\u0000b\",\"Port\":80") "]", "", 1},
        {"[" ENTRY("\"Address\":\"10.0.0.9\"", SERVICE) "]", "", 1},
        /* how it wants to be balanced */
        {"[" ENTRY(NODE, SERVICE ",\"Weights\":{\"Passing\":7,\"Warning\":1},\"Meta\":{"
                                 "\"max_fails\":\"5\",\"fail_timeout\":\"0.001\",\"x\":\"y\"}") "]",
         "a@n1 10.0.0.1:80 7 5 1", 0},
        {"[" ENTRY(NODE, SERVICE ",\"Weights\":{\"Passing\":0},\"Meta\":null") "]", FOUND, 0},
        {"[" ENTRY(NODE, SERVICE ",\"Weights\":{\"Passing\":65536},\"Meta\":[]") "]", FOUND, 0},
        /* a bad one does not spoil the others */
        {"[7,null,[],{}," ENTRY(NODE, SERVICE) ",\"x\"]", FOUND, 5},
    };
    struct rest_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(wire_read(&consul_wire, 0, 200, NULL, cases[i].body, &lookup),
                         DRIVER_DONE);
        assert_string_equal(wire_members(lookup), cases[i].members);
        assert_int_equal(lookup->n_bad, cases[i].n_bad);
    }
}

static void keeps_an_index(void **state)
{
    static const struct {
        uint64_t before;
        const char *field; /* NULL: none */
        uint64_t after;
        int64_t pause_ms;
    } cases[] = {
        {0, "17", 17, 1000},
        {17, "17", 17, 1000},
        {17, "18", 18, 1000},
        {17, "18446744073709551615", UINT64_MAX, 1000},
        /* one that went back begins anew */
        {17, "16", 0, 1000},
        {17, "0", 0, 1000},
        {17, NULL, 0, 1000},
        /* and one that is none is nothing to wait for */
        {0, "0", 0, 30000},
        {0, NULL, 0, 30000},
        {0, "", 0, 30000},
        {0, "-1", 0, 30000},
        {0, "1x", 0, 30000},
        {0, "18446744073709551616", 0, 30000},
    };
    struct rest_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *fields[] = {cases[i].field != NULL ? "X-Consul-Index" : NULL, cases[i].field,
                                NULL};
        assert_int_equal(wire_read(&consul_wire, cases[i].before, 200, fields, "[]", &lookup),
                         DRIVER_DONE);
        assert_true(lookup->index == cases[i].after);
        assert_int_equal(lookup->pause_ms, cases[i].pause_ms);
    }
}

static void refuses_other_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum driver_outcome outcome;
    } cases[] = {
        {0, "", DRIVER_UNREACHABLE},      {200, "", DRIVER_UNREACHABLE},
        {200, "{}", DRIVER_UNREACHABLE},  {200, "[", DRIVER_UNREACHABLE},
        {200, "[]x", DRIVER_UNREACHABLE}, {200, "null", DRIVER_UNREACHABLE},
        {204, "", DRIVER_UNREACHABLE},    {302, "", DRIVER_UNREACHABLE},
        {400, "", DRIVER_REJECTED},       {403, "[]", DRIVER_DENIED},
        {404, "[]", DRIVER_REJECTED},     {500, "[]", DRIVER_UNREACHABLE},
    };
    struct rest_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(wire_read(&consul_wire, 0, cases[i].status, NULL, cases[i].body, &lookup),
                         cases[i].outcome);
        assert_string_not_equal(wire_why(), "");
    }
}

static void takes_nothing_hidden_for_nothing_there(void **state)
{
    static const char *const hidden[] = {"X-Consul-Index", "9", "X-Consul-Results-Filtered-By-ACLs",
                                         "true", NULL};
    struct rest_lookup *lookup;

    (void)state;
    assert_int_equal(wire_read(&consul_wire, 0, 200, hidden, "[]", &lookup), DRIVER_DENIED);
    assert_string_equal(wire_why(), "the token has no right to read the service");
    assert_int_equal(wire_read(&consul_wire, 0, 200, hidden, "[" ENTRY(NODE, SERVICE) "]", &lookup),
                     DRIVER_DONE);
    assert_string_equal(wire_members(lookup), FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(says_what_it_is, reset),
        cmocka_unit_test_setup(is_critical_until_it_is_up, reset),
        cmocka_unit_test_setup(stays_a_minute_at_least, reset),
        cmocka_unit_test_setup(tells_its_check, reset),
        cmocka_unit_test_setup(waits_for_changes, reset),
        cmocka_unit_test_setup(knows_what_a_status_means, reset),
        cmocka_unit_test_setup(finds_instances, reset),
        cmocka_unit_test_setup(keeps_an_index, reset),
        cmocka_unit_test_setup(refuses_other_answers, reset),
        cmocka_unit_test_setup(takes_nothing_hidden_for_nothing_there, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
