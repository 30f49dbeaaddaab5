#include "config.h"

#include "discovery/registries/consul_wire.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "base/percent.h"
#include "discovery/http_client.h"
#include "discovery/json_text.h"
#include "discovery/registries/traits.h"

/*
 * For how many times its lease an instance that does not serve stays in the catalogue, in ms at
 * least: Consul takes away what is critical for longer, so a short time would have one that is
 * only DOWN go and come all the time.
 */
#define CRITICAL_LEASES 10
#define CRITICAL_MIN_MS 60000

/* The shortest time between two look-ups of a service, in case they return at once. */
#define PAUSE_MS 1000

/* What Consul lets a look-up wait, and how it spreads the ends: by up to a sixteenth. */
#define WAIT_MIN_MS 1000
#define WAIT_MAX_MS 600000
#define WAIT_SPREAD 16

/* Room for a number of ms with its unit, as Go has them. */
#define DURATION_SIZE 32

static const struct rest_verdict verdicts[] = {
    {DRIVER_REGISTER, 0, 200, DRIVER_DONE},        {DRIVER_REGISTER, 1, 200, DRIVER_DONE},
    {DRIVER_HEARTBEAT, 0, 200, DRIVER_DONE},       {DRIVER_HEARTBEAT, 0, 404, DRIVER_FORGOTTEN},
    {DRIVER_REPORT, 0, 200, DRIVER_DONE},          {DRIVER_REPORT, 0, 404, DRIVER_FORGOTTEN},
    {DRIVER_DEREGISTER, 0, 200, DRIVER_DONE},      {DRIVER_DEREGISTER, 0, 404, DRIVER_DONE},
    {DRIVER_REGISTER, 1, 404, DRIVER_UNREACHABLE}, /* right after it was taken: no reason to hurry
                                                    */
};

/* --- Requests ------------------------------------------------------------------------ */

static const char *format_ms(long ms, char buf[DURATION_SIZE])
{
    (void)snprintf(buf, DURATION_SIZE, "%ldms", ms);
    return buf;
}

/* How long it may be critical, in ms. */
static long critical_ms(const struct conf_registry *conf)
{
    long ms =
        conf->ttl_ms <= LONG_MAX / CRITICAL_LEASES ? conf->ttl_ms * CRITICAL_LEASES : conf->ttl_ms;
    return ms > CRITICAL_MIN_MS ? ms : CRITICAL_MIN_MS;
}

/* One that is STARTING is critical as one that is DOWN: "warning" would be given to who asks DNS.
 */
static json_t *make_check(const struct conf_registry *conf, const struct driver_record *record)
{
    char ttl[DURATION_SIZE], critical[DURATION_SIZE];
    return json_pack("{s:s,s:s,s:s}", "TTL", format_ms(conf->ttl_ms, ttl),
                     "DeregisterCriticalServiceAfter", format_ms(critical_ms(conf), critical),
                     "Status", record->status == DRIVER_UP ? "passing" : "critical");
}

static void ask_register(const struct conf_registry *conf, const struct driver_record *record,
                         struct rest_request *request)
{
    bytes_add_text(&request->target, "/v1/agent/service/register");
    json_t *body = json_pack(
        "{s:s,s:s,s:s,s:i,s:o,s:o,s:{s:I,s:i}}", "ID", record->instance_id, "Name", record->app,
        "Address", record->host, "Port", (int)record->port, "Meta", traits_make(conf), "Check",
        make_check(conf, record), "Weights", "Passing", (json_int_t)conf->weight, "Warning", 1);
    rest_set_body(request, body);
}

/* The note stays the same as long as the status: each change of it is one of the service. */
static void ask_check(const struct driver_record *record, struct rest_request *request)
{
    bytes_add_text(&request->target, "/v1/agent/check/");
    bytes_add_text(&request->target, record->status == DRIVER_UP ? "pass" : "fail");
    bytes_add_text(&request->target, "/service%3A");
    percent_encode(record->instance_id, &request->target);
    bytes_add_text(&request->target, "?note=");
    bytes_add_text(&request->target, driver_status_name(record->status));
}

static void ask(const struct driver_settings *settings, enum driver_task task, unsigned step,
                const struct driver_record *record, struct rest_request *request)
{
    request->method = "PUT";
    if (task == DRIVER_REGISTER && step == 0) {
        ask_register(settings->conf, record, request);
    } else if (task == DRIVER_DEREGISTER) {
        bytes_add_text(&request->target, "/v1/agent/service/deregister/");
        percent_encode(record->instance_id, &request->target);
    } else {
        ask_check(record, request);
    }
}

static void add_wait(const struct conf_registry *conf, uint64_t index, struct rest_request *request)
{
    long wait_ms = conf->refresh_ms < WAIT_MIN_MS ? WAIT_MIN_MS : conf->refresh_ms;
    char wait[DURATION_SIZE];
    wait_ms = wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
    bytes_add_text(&request->target, "&index=");
    bytes_add_number(&request->target, index);
    bytes_add_text(&request->target, "&wait=");
    bytes_add_text(&request->target, format_ms(wait_ms, wait));
    request->timeout_ms = wait_ms + wait_ms / WAIT_SPREAD + conf->timeout_ms;
}

static void ask_members(const struct driver_settings *settings, const char *service, uint64_t index,
                        struct rest_request *request)
{
    request->method = "GET";
    bytes_add_text(&request->target, "/v1/health/service/");
    percent_encode(service, &request->target);
    bytes_add_text(&request->target, "?passing=1");
    if (index > 0)
        add_wait(settings->conf, index, request);
}

/* --- Answers -------------------------------------------------------------------------- */

/* Older ones say so with status 500. */
static bool is_unknown_check(const struct http_client_answer *answer)
{
    return answer->status == 500 && (strstr(answer->body, "nknown check") != NULL ||
                                     strstr(answer->body, "does not have associated TTL") != NULL);
}

static enum driver_outcome judge(enum driver_task task, unsigned step,
                                 const struct http_client_answer *answer, char why[REST_WHY_SIZE])
{
    struct http_client_answer said = *answer;
    if (is_unknown_check(answer))
        said.status = 404;
    enum driver_outcome outcome =
        rest_judge(verdicts, sizeof verdicts / sizeof verdicts[0], task, step, &said, why);
    if (outcome == DRIVER_FORGOTTEN)
        rest_explain(why, "it does not know the instance");
    return outcome;
}

static bool read_text(const json_t *text, bool (*set)(struct member *, const char *, size_t),
                      struct member *member)
{
    return json_string_length(text) > 0 &&
           set(member, json_string_value(text), json_string_length(text));
}

/* An ID is one of its node only. */
static bool read_id(const json_t *service, const json_t *node, struct member *member)
{
    const json_t *id = json_object_get(service, "ID"), *name = json_object_get(node, "Node");
    struct bytes both = {0};
    if (json_string_length(id) == 0 || json_string_length(name) == 0)
        return false;
    bytes_add(&both, json_string_value(id), json_string_length(id));
    bytes_add_text(&both, "@");
    bytes_add(&both, json_string_value(name), json_string_length(name));
    bool is_read = !both.failed && member_set_id(member, both.at, both.len);
    bytes_free(&both);
    return is_read;
}

static uint32_t read_weight(const json_t *service, uint32_t otherwise)
{
    json_int_t weight =
        json_integer_value(json_object_get(json_object_get(service, "Weights"), "Passing"));
    return weight >= 1 && weight <= MEMBER_WEIGHT_MAX ? (uint32_t)weight : otherwise;
}

static enum rest_entry read_entry(const json_t *entry, struct member *member)
{
    const json_t *service = json_object_get(entry, "Service"),
                 *node = json_object_get(entry, "Node");
    json_int_t port = json_integer_value(json_object_get(service, "Port"));
    const json_t *address = json_object_get(service, "Address");
    if (json_string_length(address) == 0)
        address = json_object_get(node, "Address");
    traits_read(json_object_get(service, "Meta"), member);
    member->weight = read_weight(service, member->weight);
    member->port = port >= 1 && port <= 65535 ? (uint32_t)port : 0;
    return member->port > 0 && read_text(address, member_set_host, member) &&
                   read_id(service, node, member)
               ? REST_MEMBER
               : REST_BAD_MEMBER;
}

static const char *find_field(const struct http_client_answer *answer, const char *name)
{
    const char *value = answer->fields != NULL ? evhttp_find_header(answer->fields, name) : NULL;
    return value != NULL ? value : "";
}

/* What to wait from; 0 where one that went back, or none, says to begin anew. */
static uint64_t next_index(const struct http_client_answer *answer, uint64_t before)
{
    const char *text = find_field(answer, "X-Consul-Index");
    errno = 0;
    unsigned long long index = strtoull(text, NULL, 10);
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' || errno != 0)
        return 0;
    return index >= before ? index : 0;
}

/* Without the right to read a service, there seems to be none. */
static bool is_hidden(const struct http_client_answer *answer, const json_t *list)
{
    return json_array_size(list) == 0 &&
           strcmp(find_field(answer, "X-Consul-Results-Filtered-By-ACLs"), "true") == 0;
}

static enum driver_outcome read_list(const struct http_client_answer *answer, const json_t *list,
                                     struct rest_lookup *lookup, char why[REST_WHY_SIZE])
{
    if (!json_is_array(list))
        return rest_refuse_body(why);
    if (is_hidden(answer, list)) {
        rest_explain(why, "the token has no right to read the service");
        return DRIVER_DENIED;
    }
    rest_read_list(list, read_entry, lookup);
    return DRIVER_DONE;
}

static enum driver_outcome read_members(const struct conf_registry *conf,
                                        const struct http_client_answer *answer,
                                        struct rest_lookup *lookup, char why[REST_WHY_SIZE])
{
    uint64_t before = lookup->index;
    if (answer->status != 200)
        return rest_refuse(answer, why);
    json_t *list = json_text_read(answer->body, answer->len, JSON_ALLOW_NUL);
    enum driver_outcome outcome = read_list(answer, list, lookup, why);
    lookup->index = next_index(answer, before);
    /* Without an index there is nothing to wait for; one that went back has an answer at once. */
    lookup->pause_ms = lookup->index > 0 || before > 0 ? PAUSE_MS : conf->refresh_ms;
    json_decref(list);
    return outcome;
}

const struct rest_wire consul_wire = {
    .token_field = "X-Consul-Token",
    .steps = {2, 1, 1, 1},
    .ask = ask,
    .judge = judge,
    .ask_members = ask_members,
    .read_members = read_members,
};
