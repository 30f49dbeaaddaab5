/*
 * Eureka: what is sent for each task, what each status means, and which instances are found.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "conf/registry.h"
#include "discovery/registries/eureka_wire.h"
#include "wire_fixture.h"

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
    static char *metadata[] = {(char *)"zone=a=b", (char *)"weight=9", (char *)"empty="};

    (void)state;
    wire_conf.metadata = (struct conf_list){metadata, N_OF(metadata)};
    wire_conf.weight = 3;
    wire_conf.fail_timeout_ms = 1500;
    wire_conf.heartbeat_ms = 1;
    wire_conf.ttl_ms = 2500;
    assert_string_equal(
        wire_ask(&eureka_wire, DRIVER_REGISTER, 0),
        "POST /apps/API "
        "{\"instance\":{\"instanceId\":\"10.0.0.5:api:3000\",\"hostName\":\"10.0.0.5\","
        "\"ipAddr\":\"10.0.0.5\",\"app\":\"API\",\"vipAddress\":\"api\",\"status\":\"UP\","
        "\"lastDirtyTimestamp\":\"1700000000123\","
        "\"port\":{\"$\":3000,\"@enabled\":\"true\"},"
        "\"securePort\":{\"$\":443,\"@enabled\":\"false\"},"
        "\"dataCenterInfo\":{"
        "\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\","
        "\"name\":\"MyOwn\"},"
        "\"leaseInfo\":{\"renewalIntervalInSecs\":1,\"durationInSecs\":3},"
        "\"metadata\":{\"zone\":\"a=b\",\"weight\":\"3\",\"empty\":\"\",\"max_fails\":\"2\","
        "\"fail_timeout\":\"1.500\"},"
        "\"homePageUrl\":\"http://10.0.0.5:3000/\","
        "\"statusPageUrl\":\"http://10.0.0.5:3000/\"}}");
}

/* The value at "a.b.c" of the instance that is registered. */
static void has(const char *key, const char *sub, const char *wanted)
{
    const char *body = strchr(wire_ask(&eureka_wire, DRIVER_REPORT, 0), '{');
    json_t *tree = json_loads(body, 0, NULL);
    const json_t *value = json_object_get(json_object_get(tree, "instance"), key);

    if (sub != NULL)
        value = json_object_get(value, sub);
    if (wanted == NULL)
        assert_null(value);
    else
        assert_string_equal(json_string_value(value), wanted);
    json_decref(tree);
}

static void says_how_it_is(void **state)
{
    (void)state;
    wire_record.status = DRIVER_STARTING;
    has("status", NULL, "STARTING");
    wire_record.status = DRIVER_DOWN;
    has("status", NULL, "DOWN");
}

static void names_its_health_only_when_it_has_some(void **state)
{
    static char *routes[] = {(char *)"GET/", (char *)"GET/healthcheck"};
    struct conf_list list = {routes, N_OF(routes)};

    (void)state;
    has("healthCheckUrl", NULL, NULL);
    wire_record.routes = &list;
    has("healthCheckUrl", NULL, "http://10.0.0.5:3000/healthcheck");
    list.n = 1;
    has("healthCheckUrl", NULL, NULL);
}

static void writes_ipv6_with_brackets_in_urls_only(void **state)
{
    (void)state;
    wire_record.host = "2001:db8::1";
    has("ipAddr", NULL, "2001:db8::1");
    has("homePageUrl", NULL, "http://[2001:db8::1]:3000/");
}

static void finds_its_place(void **state)
{
    static const struct {
        const char *path, *app, *id;
        const char *register_target, *heartbeat_target, *leave_target;
    } cases[] = {
        {"/eureka", "api", "a:api:1", "POST /apps/API ",
         "PUT /apps/API/a%3Aapi%3A1?status=UP&lastDirtyTimestamp=1700000000123",
         "DELETE /apps/API/a%3Aapi%3A1"},
        {"/eureka/v2/apps", "my-App_2", "x", "POST /MY-APP_2 ",
         "PUT /MY-APP_2/x?status=UP&lastDirtyTimestamp=1700000000123", "DELETE /MY-APP_2/x"},
        {"/apps", "a", "b", "POST /A ", "PUT /A/b?status=UP&lastDirtyTimestamp=1700000000123",
         "DELETE /A/b"},
        {"", "a b/\xc3\xa4", "%/?", "POST /apps/A%20B%2F%C3%A4 ",
         "PUT /apps/A%20B%2F%C3%A4/%25%2F%3F?status=UP&lastDirtyTimestamp=1700000000123",
         "DELETE /apps/A%20B%2F%C3%A4/%25%2F%3F"},
        {"/myapps", "a", "b", "POST /apps/A ",
         "PUT /apps/A/b?status=UP&lastDirtyTimestamp=1700000000123", "DELETE /apps/A/b"},
    };

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        wire_url.path = (char *)cases[i].path;
        wire_record.app = cases[i].app;
        wire_record.instance_id = cases[i].id;
        const char *text = wire_ask(&eureka_wire, DRIVER_REGISTER, 0);
        assert_memory_equal(text, cases[i].register_target, strlen(cases[i].register_target));
        assert_string_equal(wire_ask(&eureka_wire, DRIVER_HEARTBEAT, 0), cases[i].heartbeat_target);
        assert_string_equal(wire_ask(&eureka_wire, DRIVER_DEREGISTER, 0), cases[i].leave_target);
    }
}

static void looks_up_an_app(void **state)
{
    long timeout_ms = -1;

    (void)state;
    assert_string_equal(wire_ask_members(&eureka_wire, "other/app", 0, &timeout_ms),
                        "GET /apps/OTHER%2FAPP");
    assert_int_equal(timeout_ms, 0);
}

static void says_nothing_that_is_no_text(void **state)
{
    static char *metadata[] = {(char *)"zone=\xff"};
    struct driver_settings settings = {.conf = &wire_conf, .url = &wire_url};
    struct rest_request request = {0};

    (void)state;
    wire_conf.metadata = (struct conf_list){metadata, N_OF(metadata)};
    eureka_wire.ask(&settings, DRIVER_REGISTER, 0, &wire_record, &request);
    assert_true(request.body.failed);
    rest_request_clear(&request);
}

/* --- Answers -------------------------------------------------------------------------- */

static void knows_what_a_status_means(void **state)
{
    static const struct {
        int status;
        enum driver_outcome outcomes[DRIVER_TASKS]; /* REGISTER, HEARTBEAT, REPORT, DEREGISTER */
    } cases[] = {
#define ALL(outcome) {(outcome), (outcome), (outcome), (outcome)}
        {0, ALL(DRIVER_UNREACHABLE)},
        {200, {DRIVER_UNREACHABLE, DRIVER_DONE, DRIVER_UNREACHABLE, DRIVER_DONE}},
        {204, {DRIVER_DONE, DRIVER_UNREACHABLE, DRIVER_DONE, DRIVER_UNREACHABLE}},
        {301, ALL(DRIVER_UNREACHABLE)},
        {400, ALL(DRIVER_REJECTED)},
        {401, ALL(DRIVER_DENIED)},
        {403, ALL(DRIVER_DENIED)},
        {404, {DRIVER_REJECTED, DRIVER_FORGOTTEN, DRIVER_REJECTED, DRIVER_DONE}},
        {408, ALL(DRIVER_UNREACHABLE)},
        {415, ALL(DRIVER_REJECTED)},
        {429, ALL(DRIVER_UNREACHABLE)},
        {500, ALL(DRIVER_UNREACHABLE)},
        {503, ALL(DRIVER_UNREACHABLE)},
    };

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++)
        for (enum driver_task task = DRIVER_REGISTER; task < DRIVER_TASKS; task++) {
            enum driver_outcome outcome = wire_judge(&eureka_wire, task, 0, cases[i].status, "");
            assert_int_equal(outcome, cases[i].outcomes[task]);
            if (outcome != DRIVER_DONE)
                assert_string_not_equal(wire_why(), "");
        }
}

static void says_why(void **state)
{
    (void)state;
    (void)wire_judge(&eureka_wire, DRIVER_REGISTER, 0, 0, "");
    assert_string_equal(wire_why(), "nobody answers");
    (void)wire_judge(&eureka_wire, DRIVER_REGISTER, 0, 503, "secret");
    assert_string_equal(wire_why(), "it answered with status 503");
    (void)wire_judge(&eureka_wire, DRIVER_REGISTER, 0, 404, "");
    assert_string_equal(wire_why(), "there is no Eureka at this path (status 404)");
    (void)wire_judge(&eureka_wire, DRIVER_HEARTBEAT, 0, 404, "");
    assert_string_equal(wire_why(), "it does not know the instance");
}

#define LIST(instances) "{\"application\":{\"name\":\"API\",\"instance\":[" instances "]}}"
#define UP              "\"status\":\"UP\","
#define PLAIN           UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":80,\"@enabled\":\"true\"}"
#define AT(id)          "\"instanceId\":\"" id "\","
#define FOUND           "a 10.0.0.1:80 1 1 10000"

static void finds_instances(void **state)
{
    static const struct {
        const char *body;
        const char *members;
        size_t n_bad;
    } cases[] = {
        {LIST(""), "", 0},
        {LIST("{" AT("a") PLAIN "}"), FOUND, 0},
        {"{\"application\":{\"instance\":{" AT("a") PLAIN "}}}", FOUND, 0},
        {LIST("{" AT("a") PLAIN "},{" AT("b") PLAIN "}"), FOUND ";b 10.0.0.1:80 1 1 10000", 0},
        /* which id */
        {LIST("{\"hostName\":\"h\"," PLAIN "}"), "h 10.0.0.1:80 1 1 10000", 0},
        {LIST("{" PLAIN "}"), "", 1},
        {LIST("{\"instanceId\":7," PLAIN "}"), "", 1},
        {LIST("{" AT("a\\u0000b") PLAIN "}"), "", 1},
        /* only those that are up */
        {LIST("{" AT("a") "\"status\":\"STARTING\"},{" AT(
             "b") "\"status\":\"DOWN\"},"
                  "{\"status\":\"OUT_OF_SERVICE\"},{\"status\":\"UNKNOWN\"},{\"status\":\"up\"}"),
         "", 0},
        {LIST("{},{\"status\":7}"), "", 0},
        /* which host */
        {LIST("{" AT("a") "\"hostName\":\"h.test\"," PLAIN "}"), FOUND, 0},
        {LIST("{" AT("a") UP "\"hostName\":\"h.test\",\"port\":{\"$\":80}}"),
         "a h.test:80 1 1 10000", 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"\",\"hostName\":\"h.test\",\"port\":{\"$\":80}}"),
         "a h.test:80 1 1 10000", 0},
        {LIST("{" AT("a") UP "\"ipAddr\":7,\"hostName\":\"h.test\",\"port\":{\"$\":80}}"),
         "a h.test:80 1 1 10000", 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"::1\",\"port\":{\"$\":80}}"), "a ::1:80 1 1 10000", 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"a b\",\"port\":{\"$\":80}}"), "", 1},
        {LIST("{" AT("a") UP "\"port\":{\"$\":80}}"), "", 1},
        /* which port */
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":\"80\",\"@enabled\":true}}"),
         FOUND, 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":70,\"@enabled\":\"false\"},"
                             "\"securePort\":{\"$\":80,\"@enabled\":\"true\"}}"),
         FOUND, 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":70,\"@enabled\":false},"
                             "\"securePort\":{\"$\":80,\"@enabled\":true}}"),
         FOUND, 0},
        {LIST("{" AT("a") "\"securePort\":{\"$\":443,\"@enabled\":\"true\"}," PLAIN "}"), FOUND, 0},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":70,\"@enabled\":\"false\"},"
                             "\"securePort\":{\"$\":80}}"),
         "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\"}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":80}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":0}}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":65536}}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":\"80x\"}}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":-1}}"), "", 1},
        {LIST("{" AT("a") UP "\"ipAddr\":\"10.0.0.1\",\"port\":{\"$\":4294967376}}"), "", 1},
        /* how it wants to be balanced */
        {LIST("{" AT("a") PLAIN ",\"metadata\":{\"weight\":\"5\",\"max_fails\":\"0\","
                                "\"fail_timeout\":\"2.5\",\"management.port\":\"8081\"}}"),
         "a 10.0.0.1:80 5 0 2500", 0},
        {LIST("{" AT("a") PLAIN ",\"metadata\":{\"@class\":\"java.util.Collections$EmptyMap\"}}"),
         FOUND, 0},
        /* a bad one does not spoil the others */
        {LIST("7,null,[],{" AT("a") PLAIN "},\"x\""), FOUND, 4},
    };
    struct rest_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(wire_read(&eureka_wire, 0, 200, NULL, cases[i].body, &lookup),
                         DRIVER_DONE);
        assert_string_equal(wire_members(lookup), cases[i].members);
        assert_int_equal(lookup->n_bad, cases[i].n_bad);
        assert_int_equal(lookup->pause_ms, 30000);
    }
}

static void has_none_of_an_app_that_is_unknown(void **state)
{
    struct rest_lookup *lookup;

    (void)state;
    assert_int_equal(wire_read(&eureka_wire, 0, 404, NULL, "<html>", &lookup), DRIVER_DONE);
    assert_int_equal(lookup->n, 0);
    assert_int_equal(lookup->pause_ms, 30000);
}

static void refuses_other_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum driver_outcome outcome;
    } cases[] = {
        {0, "", DRIVER_UNREACHABLE},
        {200, "", DRIVER_UNREACHABLE},
        {200, "<application/>", DRIVER_UNREACHABLE},
        {200, "[]", DRIVER_UNREACHABLE},
        {200, "{}", DRIVER_UNREACHABLE},
        {200, "{\"application\":{\"instance\":7}}", DRIVER_UNREACHABLE},
        {200, "{\"application\":{}}", DRIVER_UNREACHABLE},
        {200, LIST("") "x", DRIVER_UNREACHABLE},
        {200, "{\"application\":{\"instance\":[", DRIVER_UNREACHABLE},
        {200, LIST("\"\xff\""), DRIVER_UNREACHABLE},
        {204, "", DRIVER_UNREACHABLE},
        {302, "", DRIVER_UNREACHABLE},
        {400, "", DRIVER_REJECTED},
        {401, "", DRIVER_DENIED},
        {403, "", DRIVER_DENIED},
        {500, LIST(""), DRIVER_UNREACHABLE},
    };
    struct rest_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(wire_read(&eureka_wire, 0, cases[i].status, NULL, cases[i].body, &lookup),
                         cases[i].outcome);
        assert_string_not_equal(wire_why(), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(says_what_it_is, reset),
        cmocka_unit_test_setup(says_how_it_is, reset),
        cmocka_unit_test_setup(names_its_health_only_when_it_has_some, reset),
        cmocka_unit_test_setup(writes_ipv6_with_brackets_in_urls_only, reset),
        cmocka_unit_test_setup(finds_its_place, reset),
        cmocka_unit_test_setup(looks_up_an_app, reset),
        cmocka_unit_test_setup(says_nothing_that_is_no_text, reset),
        cmocka_unit_test_setup(knows_what_a_status_means, reset),
        cmocka_unit_test_setup(says_why, reset),
        cmocka_unit_test_setup(finds_instances, reset),
        cmocka_unit_test_setup(has_none_of_an_app_that_is_unknown, reset),
        cmocka_unit_test_setup(refuses_other_answers, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
