#include "config.h"

#include "wire_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <cmocka.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "conf/registry.h"

struct conf_registry wire_conf;
struct registry_url wire_url;
struct driver_record wire_record;

static char text[8192];
static char why[REST_WHY_SIZE];
static struct rest_lookup lookup;

void wire_reset(void)
{
    wire_conf = (struct conf_registry){
        .heartbeat_ms = 30000,
        .ttl_ms = 90000,
        .timeout_ms = 5000,
        .refresh_ms = 30000,
        .weight = 1,
        .max_fails = 2,
        .fail_timeout_ms = 10000,
    };
    wire_url =
        (struct registry_url){.host = (char *)"registry", .port = 8761, .path = (char *)"/eureka"};
    wire_record = (struct driver_record){
        .app = "api",
        .instance_id = "10.0.0.5:api:3000",
        .host = "10.0.0.5",
        .port = 3000,
        .status = DRIVER_UP,
        .stamp_ms = 1700000000123,
    };
}

static struct driver_settings settings(void)
{
    return (struct driver_settings){.conf = &wire_conf, .url = &wire_url};
}

static const char *as_text(struct rest_request *request)
{
    assert_false(request->target.failed || request->body.failed);
    (void)snprintf(text, sizeof text, "%s %s%s%s", request->method, request->target.at,
                   request->body.len > 0 ? " " : "", request->body.len > 0 ? request->body.at : "");
    rest_request_clear(request);
    return text;
}

const char *wire_ask(const struct rest_wire *wire, enum driver_task task, unsigned step)
{
    struct driver_settings given = settings();
    struct rest_request request = {0};
    wire->ask(&given, task, step, &wire_record, &request);
    assert_int_equal(request.timeout_ms, 0);
    return as_text(&request);
}

const char *wire_ask_members(const struct rest_wire *wire, const char *service, uint64_t index,
                             long *ret_timeout_ms)
{
    struct driver_settings given = settings();
    struct rest_request request = {0};
    wire->ask_members(&given, service, index, &request);
    if (ret_timeout_ms != NULL)
        *ret_timeout_ms = request.timeout_ms;
    return as_text(&request);
}

enum driver_outcome wire_judge(const struct rest_wire *wire, enum driver_task task, unsigned step,
                               int status, const char *body)
{
    struct http_client_answer answer = {.status = status, .body = body, .len = strlen(body)};
    if (status == 0)
        answer.error = "nobody answers";
    why[0] = '\0';
    return wire->judge(task, step, &answer, why);
}

const char *wire_why(void)
{
    return why;
}

enum driver_outcome wire_read(const struct rest_wire *wire, uint64_t index, int status,
                              const char *const *fields, const char *body,
                              struct rest_lookup **ret_lookup)
{
    struct evkeyvalq head;
    size_t len = strlen(body);
    char *exact = malloc(len + 1); /* so that a sanitizer sees every slip */
    assert_non_null(exact);
    memcpy(exact, body, len + 1);
    TAILQ_INIT(&head);
    for (; fields != NULL && *fields != NULL; fields += 2)
        assert_int_equal(evhttp_add_header(&head, fields[0], fields[1]), 0);
    struct http_client_answer answer = {
        .status = status, .body = exact, .len = len, .fields = &head};
    if (status == 0)
        answer.error = "nobody answers";
    why[0] = '\0';
    lookup.index = index;
    enum driver_outcome outcome = wire->read_members(&wire_conf, &answer, &lookup, why);
    evhttp_clear_headers(&head);
    free(exact);
    *ret_lookup = &lookup;
    return outcome;
}

const char *wire_members(const struct rest_lookup *found)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < found->n; i++) {
        const struct member *member = &found->members[i];
        int n = snprintf(text + len, sizeof text - len, "%s%s %s:%u %u %u %u", i > 0 ? ";" : "",
                         member->id, member->host, member->port, member->weight, member->max_fails,
                         member->fail_timeout_ms);
        assert_in_range(n, 1, sizeof text - len - 1);
        len += (size_t)n;
    }
    return text;
}
