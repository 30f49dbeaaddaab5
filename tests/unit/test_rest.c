/*
 * Sessions with Eureka and Consul: requests one after the other, look-ups again and again, and
 * callbacks at the right time. The HTTP client, the clock and the timers are ours.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <cmocka.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "discovery/driver.h"
#include "discovery/http_client.h"

#define CALLS_MAX 8
#define TEXT_SIZE 512

struct http_client_call {
    bool is_sent;
    char line[TEXT_SIZE];
    long timeout_ms;
    void (*done)(const struct http_client_answer *answer, void *arg);
    void *arg;
};

static struct event_base *base;
static struct conf_registry conf;
static struct registry_url url;
static struct driver_record record;

static struct http_client_call calls[CALLS_MAX];
static size_t n_calls;
static bool no_memory;
static char login[TEXT_SIZE]; /* user:password of the client, and the fields of the last request */
static int64_t now_ms;
static int64_t waits_ms[CALLS_MAX]; /* that timers were set to */
static size_t n_waits;
static char heard[TEXT_SIZE]; /* the last callback */
static const struct driver *driver;
static void *session;

int64_t __wrap_clock_now_ms(void);
int __wrap_event_add(struct event *event, const struct timeval *wait);
const char *__wrap_conf_registry_user(const struct conf_registry *registry,
                                      const struct registry_url *where);
const char *__wrap_conf_registry_password(const struct conf_registry *registry,
                                          const struct registry_url *where);
int __wrap_http_client_new(const struct http_client_settings *settings,
                           struct http_client **ret_client);
struct http_client_call *__wrap_http_client_send(struct http_client *client,
                                                 const struct http_client_request *request);
void __wrap_http_client_free(struct http_client *client);

int64_t __wrap_clock_now_ms(void)
{
    return now_ms;
}

/* Timers end at once. */
int __wrap_event_add(struct event *event, const struct timeval *wait)
{
    assert_in_range(n_waits, 0, CALLS_MAX - 1);
    waits_ms[n_waits++] = (int64_t)wait->tv_sec * 1000 + wait->tv_usec / 1000;
    event_active(event, EV_TIMEOUT, 0);
    return 0;
}

const char *__wrap_conf_registry_user(const struct conf_registry *registry,
                                      const struct registry_url *where)
{
    return where->user != NULL ? where->user : registry->user;
}

const char *__wrap_conf_registry_password(const struct conf_registry *registry,
                                          const struct registry_url *where)
{
    return where->user != NULL ? where->password : registry->password;
}

int __wrap_http_client_new(const struct http_client_settings *settings,
                           struct http_client **ret_client)
{
    assert_ptr_equal(settings->url, &url);
    assert_int_equal(settings->timeout_ms, 5000);
    assert_int_equal(settings->max_body_bytes, DRIVER_ANSWER_MAX);
    (void)snprintf(login, sizeof login, "%s:%s", settings->user != NULL ? settings->user : "-",
                   settings->password != NULL ? settings->password : "-");
    *ret_client = NULL;
    return no_memory ? -ENOMEM : 0;
}

struct http_client_call *__wrap_http_client_send(struct http_client *client,
                                                 const struct http_client_request *request)
{
    size_t len = 0;
    (void)client;
    if (no_memory)
        return NULL;
    assert_in_range(n_calls, 0, CALLS_MAX - 1);
    struct http_client_call *call = &calls[n_calls++];
    *call = (struct http_client_call){.is_sent = true,
                                      .timeout_ms = request->timeout_ms,
                                      .done = request->done,
                                      .arg = request->arg};
    (void)snprintf(call->line, sizeof call->line, "%s %s", request->method, request->target);
    assert_int_equal(request->content_type != NULL, request->body_len > 0);
    for (size_t i = 0; request->fields[i] != NULL; i += 2)
        len += (size_t)snprintf(login + len, sizeof login - len, "%s: %s;", request->fields[i],
                                request->fields[i + 1]);
    return call;
}

void __wrap_http_client_free(struct http_client *client)
{
    (void)client;
}

static void on_done(enum driver_outcome outcome, const char *why, void *arg)
{
    (void)arg;
    (void)snprintf(heard, sizeof heard, "done %d %s", outcome, why);
}

static void on_found(const char *service, const struct member *members, size_t n, void *arg)
{
    (void)arg;
    (void)snprintf(heard, sizeof heard, "found %s %zu %s", service, n,
                   n > 0 ? members[0].host : "");
}

static void on_lost(const char *service, enum driver_outcome outcome, const char *why, void *arg)
{
    (void)arg;
    (void)snprintf(heard, sizeof heard, "lost %s %d %s", service, outcome, why);
}

static int try_open(const struct driver *with)
{
    struct driver_settings settings = {.base = base,
                                       .conf = &conf,
                                       .url = &url,
                                       .done = on_done,
                                       .found = on_found,
                                       .lost = on_lost};
    driver = with;
    return driver->open(&settings, &session);
}

static int set_up(void **state)
{
    (void)state;
    base = event_base_new();
    conf = (struct conf_registry){.heartbeat_ms = 30000,
                                  .ttl_ms = 90000,
                                  .timeout_ms = 5000,
                                  .refresh_ms = 20000,
                                  .weight = 1};
    url = (struct registry_url){.path = (char *)""};
    record = (struct driver_record){.app = "api",
                                    .instance_id = "i",
                                    .host = "h",
                                    .port = 1,
                                    .status = DRIVER_UP,
                                    .stamp_ms = 5};
    n_calls = n_waits = 0;
    no_memory = false;
    heard[0] = '\0';
    now_ms = 1000000;
    return base != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

static void loop(void)
{
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The call is answered; index of Consul, NULL: none. */
static void answer(size_t i, int status, const char *index, const char *body)
{
    struct evkeyvalq fields;
    TAILQ_INIT(&fields);
    if (index != NULL)
        assert_int_equal(evhttp_add_header(&fields, "X-Consul-Index", index), 0);
    struct http_client_answer said = {.status = status,
                                      .body = body,
                                      .len = strlen(body),
                                      .error = status == 0 ? "nobody answers" : NULL,
                                      .fields = &fields};
    assert_true(calls[i].is_sent);
    calls[i].is_sent = false;
    calls[i].done(&said, calls[i].arg);
    evhttp_clear_headers(&fields);
}

static void hears(const char *wanted)
{
    assert_string_equal(heard, wanted);
    heard[0] = '\0';
}

/* --- Tasks ---------------------------------------------------------------------------- */

static void a_task_is_a_request(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_eureka), 0);
    driver->begin(session, DRIVER_REGISTER, &record);
    assert_string_equal(calls[0].line, "POST /apps/API");
    hears("");
    answer(0, 204, NULL, "");
    hears("done 0 ");
    driver->begin(session, DRIVER_HEARTBEAT, &record);
    answer(1, 404, NULL, "");
    hears("done 1 it does not know the instance");
    driver->begin(session, DRIVER_DEREGISTER, &record);
    answer(2, 0, NULL, "");
    hears("done 2 nobody answers");
    assert_int_equal(n_calls, 3);
    driver->close(session);
}

static void registering_with_consul_takes_two(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_consul), 0);
    driver->begin(session, DRIVER_REGISTER, &record);
    answer(0, 200, NULL, "");
    hears("");
    assert_string_equal(calls[1].line, "PUT /v1/agent/check/pass/service%3Ai?note=UP");
    answer(1, 200, NULL, "");
    hears("done 0 ");
    driver->begin(session, DRIVER_REGISTER, &record);
    answer(2, 403, NULL, "");
    hears("done 3 it answered with status 403");
    assert_int_equal(n_calls, 3);
    driver->close(session);
}

static void a_task_without_memory_ends_later(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_consul), 0);
    no_memory = true;
    driver->begin(session, DRIVER_REGISTER, &record);
    hears("");
    loop();
    hears("done 2 there is no memory for the request");
    driver->close(session);
    assert_int_equal(try_open(&driver_consul), -ENOMEM);
}

static void who_it_is_goes_where_it_belongs(void **state)
{
    static const struct {
        const struct driver *driver;
        const char *user, *password;
        const char *login, *fields;
    } cases[] = {
        {&driver_eureka, "me", "secret", "me:secret", "Accept: application/json;"},
        {&driver_eureka, NULL, NULL, "-:-", "Accept: application/json;"},
        {&driver_consul, NULL, "secret", "-:-", "Accept: application/json;X-Consul-Token: secret;"},
        {&driver_consul, NULL, NULL, "-:-", "Accept: application/json;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        n_calls = 0;
        conf.user = (char *)cases[i].user;
        conf.password = (char *)cases[i].password;
        assert_int_equal(try_open(cases[i].driver), 0);
        assert_string_equal(login, cases[i].login);
        driver->begin(session, DRIVER_DEREGISTER, &record);
        assert_string_equal(login, cases[i].fields);
        driver->close(session);
    }
}

/* --- Look-ups --------------------------------------------------------------------------- */

#define INSTANCE                                            \
    "[{\"Node\":{\"Node\":\"n\",\"Address\":\"10.0.0.1\"}," \
    "\"Service\":{\"ID\":\"a\",\"Port\":1}}]"

static void eureka_is_asked_each_time(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_eureka), 0);
    driver->follow(session, "api");
    assert_int_equal(n_calls, 0);
    loop();
    assert_string_equal(calls[0].line, "GET /apps/API");
    now_ms += 300;
    answer(0, 404, NULL, "");
    hears("found api 0 ");
    assert_int_equal(waits_ms[0], 19700);
    loop();
    now_ms += 30000;
    answer(1, 404, NULL, "");
    assert_int_equal(waits_ms[1], 0);
    driver->close(session);
}

static void consul_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_consul), 0);
    driver->follow(session, "api");
    loop();
    assert_string_equal(calls[0].line, "GET /v1/health/service/api?passing=1");
    answer(0, 200, "7", INSTANCE);
    hears("found api 1 10.0.0.1");
    assert_int_equal(waits_ms[0], 1000); /* one that returns at once is not repeated at once */
    loop();
    assert_string_equal(calls[1].line, "GET /v1/health/service/api?passing=1&index=7&wait=20000ms");
    assert_int_equal(calls[1].timeout_ms, 20000 + 1250 + 5000);
    now_ms += 20000;
    answer(1, 200, "6", INSTANCE);
    hears("found api 1 10.0.0.1");
    assert_int_equal(waits_ms[1], 0);
    loop();
    assert_string_equal(calls[2].line, "GET /v1/health/service/api?passing=1");
    driver->close(session);
}

static void one_that_is_lost_is_not_asked_until_it_is_followed_again(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_consul), 0);
    driver->follow(session, "api");
    driver->follow(session, "other");
    loop();
    assert_int_equal(n_calls, 2);
    answer(0, 200, "7", "[]");
    loop();
    answer(2, 500, NULL, "");
    hears("lost api 2 it answered with status 500");
    loop();
    assert_int_equal(n_calls, 3);
    driver->follow(session, "api");
    driver->follow(session, "api");
    loop();
    assert_int_equal(n_calls, 4);
    assert_string_equal(calls[3].line, "GET /v1/health/service/api?passing=1");
    driver->follow(session, "api"); /* is under way */
    loop();
    assert_int_equal(n_calls, 4);
    answer(1, 200, "1", "[]");
    hears("found other 0 ");
    driver->close(session);
}

static void a_look_up_without_memory_is_lost(void **state)
{
    (void)state;
    assert_int_equal(try_open(&driver_eureka), 0);
    no_memory = true;
    driver->follow(session, "api");
    hears("");
    loop();
    hears("lost api 2 there is no memory for the request");
    driver->close(session);
}

static void there_is_room_for_all_services(void **state)
{
    char name[16];

    (void)state;
    assert_int_equal(try_open(&driver_eureka), 0);
    no_memory = true;
    for (int i = 0; i <= SERVICES_MAX; i++) {
        (void)snprintf(name, sizeof name, "api%d", i);
        driver->follow(session, name);
    }
    loop();
    (void)snprintf(name, sizeof name, "lost api%d", SERVICES_MAX - 1);
    assert_memory_equal(heard, name, strlen(name));
    driver->close(session);
    driver->close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_task_is_a_request),
        TEST(registering_with_consul_takes_two),
        TEST(a_task_without_memory_ends_later),
        TEST(who_it_is_goes_where_it_belongs),
        TEST(eureka_is_asked_each_time),
        TEST(consul_is_waited_for),
        TEST(one_that_is_lost_is_not_asked_until_it_is_followed_again),
        TEST(a_look_up_without_memory_is_lost),
        TEST(there_is_room_for_all_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
