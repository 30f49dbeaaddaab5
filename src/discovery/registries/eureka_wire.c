#include "config.h"

#include "discovery/registries/eureka_wire.h"

#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/number.h"
#include "base/percent.h"
#include "discovery/http_client.h"
#include "discovery/json_text.h"
#include "discovery/registries/traits.h"

#define DATA_CENTER "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"

/* Where an instance is asked whether it is well, if it has such a route. */
#define HEALTH_PATH  "/healthcheck"
#define HEALTH_ROUTE "GET" HEALTH_PATH

static const struct rest_verdict verdicts[] = {
    {DRIVER_REGISTER, 0, 204, DRIVER_DONE},   {DRIVER_REPORT, 0, 204, DRIVER_DONE},
    {DRIVER_HEARTBEAT, 0, 200, DRIVER_DONE},  {DRIVER_HEARTBEAT, 0, 404, DRIVER_FORGOTTEN},
    {DRIVER_DEREGISTER, 0, 200, DRIVER_DONE}, {DRIVER_DEREGISTER, 0, 404, DRIVER_DONE},
};

/* --- Requests ---------------------------------------------------------------------- */

/* As the server has it, which compares byte by byte. */
static void add_upper(struct bytes *bytes, const char *text)
{
    for (; *text != '\0'; text++) {
        char upper = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
        bytes_add(bytes, &upper, 1);
    }
}

static void add_app(const struct driver_settings *settings, const char *app, struct bytes *target)
{
    const char *path = settings->url->path, *last = strrchr(path, '/');
    struct bytes name = {0};
    bool has_apps = last != NULL && strcmp(last, "/apps") == 0;
    add_upper(&name, app);
    bytes_add_text(target, has_apps ? "/" : "/apps/");
    percent_encode(name.at != NULL ? name.at : "", target);
    target->failed |= name.failed;
    bytes_free(&name);
}

/* "http://host:port/path": there is no TLS to serve with. */
static json_t *make_url(const struct driver_record *record, const char *path)
{
    char place[MEMBER_PLACE_SIZE];
    (void)address_join(record->host, record->port, place, sizeof place);
    return json_sprintf("http://%s%s", place, path);
}

static bool has_health(const struct driver_record *record)
{
    for (size_t i = 0; record->routes != NULL && i < record->routes->n; i++)
        if (strcmp(record->routes->items[i], HEALTH_ROUTE) == 0)
            return true;
    return false;
}

/* The lease is in seconds, and not of 0. */
static json_int_t seconds(long ms)
{
    return (json_int_t)((ms + 999) / 1000);
}

static json_t *make_lease(const struct conf_registry *conf)
{
    return json_pack("{s:I,s:I}", "renewalIntervalInSecs", seconds(conf->heartbeat_ms),
                     "durationInSecs", seconds(conf->ttl_ms));
}

static json_t *make_port(unsigned port, const char *enabled)
{
    return json_pack("{s:i,s:s}", "$", (int)port, "@enabled", enabled);
}

/* What it is and how it is. Takes over `app`. */
static json_t *make_state(const struct driver_record *record, json_t *app)
{
    return json_pack("{s:s,s:s,s:s,s:o,s:s,s:s,s:o}", "instanceId", record->instance_id, "hostName",
                     record->host, "ipAddr", record->host, "app", app, "vipAddress", record->app,
                     "status", driver_status_name(record->status), "lastDirtyTimestamp",
                     json_sprintf("%llu", (unsigned long long)record->stamp_ms));
}

static json_t *make_instance(const struct conf_registry *conf, const struct driver_record *record)
{
    struct bytes app = {0};
    add_upper(&app, record->app);
    json_t *instance = make_state(record, app.failed ? NULL : json_stringn(app.at, app.len));
    json_t *places =
        json_pack("{s:o,s:o,s:{s:s,s:s},s:o,s:o,s:o,s:o}", "port", make_port(record->port, "true"),
                  "securePort", make_port(443, "false"), "dataCenterInfo", "@class", DATA_CENTER,
                  "name", "MyOwn", "leaseInfo", make_lease(conf), "metadata", traits_make(conf),
                  "homePageUrl", make_url(record, "/"), "statusPageUrl", make_url(record, "/"));
    bool is_made = instance != NULL && places != NULL && json_object_update(instance, places) == 0;
    if (is_made && has_health(record))
        is_made =
            json_object_set_new(instance, "healthCheckUrl", make_url(record, HEALTH_PATH)) == 0;
    bytes_free(&app);
    json_decref(places);
    if (is_made)
        return instance;
    json_decref(instance);
    return NULL;
}

static void ask_register(const struct driver_settings *settings, const struct driver_record *record,
                         struct rest_request *request)
{
    request->method = "POST";
    rest_set_body(request, json_pack("{s:o}", "instance", make_instance(settings->conf, record)));
}

static void add_stamp(const struct driver_record *record, struct bytes *target)
{
    bytes_add_text(target, "?status=");
    bytes_add_text(target, driver_status_name(record->status));
    bytes_add_text(target, "&lastDirtyTimestamp=");
    bytes_add_number(target, record->stamp_ms);
}

static void ask(const struct driver_settings *settings, enum driver_task task, unsigned step,
                const struct driver_record *record, struct rest_request *request)
{
    (void)step;
    add_app(settings, record->app, &request->target);
    if (task == DRIVER_REGISTER || task == DRIVER_REPORT) {
        ask_register(settings, record, request);
        return;
    }
    bytes_add_text(&request->target, "/");
    percent_encode(record->instance_id, &request->target);
    request->method = task == DRIVER_HEARTBEAT ? "PUT" : "DELETE";
    if (task == DRIVER_HEARTBEAT)
        add_stamp(record, &request->target);
}

static void ask_members(const struct driver_settings *settings, const char *service, uint64_t index,
                        struct rest_request *request)
{
    (void)index;
    request->method = "GET";
    add_app(settings, service, &request->target);
}

/* --- Answers ------------------------------------------------------------------------ */

static enum driver_outcome judge(enum driver_task task, unsigned step,
                                 const struct http_client_answer *answer, char why[REST_WHY_SIZE])
{
    enum driver_outcome outcome =
        rest_judge(verdicts, sizeof verdicts / sizeof verdicts[0], task, step, answer, why);
    if (outcome == DRIVER_FORGOTTEN)
        rest_explain(why, "it does not know the instance");
    else if (answer->status == 404)
        rest_explain(why, "there is no Eureka at this path (status 404)");
    return outcome;
}

/* Whether one of them is, and then its number. */
static bool is_enabled(const json_t *port, bool otherwise)
{
    const json_t *enabled = json_object_get(port, "@enabled");
    const char *text = json_string_value(enabled);
    if (text != NULL)
        return strcasecmp(text, "true") == 0;
    return enabled != NULL ? json_is_true(enabled) : otherwise;
}

static uint32_t port_number(const json_t *port)
{
    const json_t *number = json_object_get(port, "$");
    const char *text = json_string_value(number);
    long value = (long)json_integer_value(number);
    if (text != NULL && number_parse(text, 1, 65535, &value) != 0)
        return 0;
    return value >= 1 && value <= 65535 ? (uint32_t)value : 0;
}

static uint32_t read_port(const json_t *instance)
{
    const json_t *port = json_object_get(instance, "port");
    const json_t *secure = json_object_get(instance, "securePort");
    if (port != NULL && is_enabled(port, true))
        return port_number(port);
    return is_enabled(secure, false) ? port_number(secure) : 0;
}

static bool read_host(const json_t *text, struct member *member)
{
    return json_is_string(text) &&
           member_set_host(member, json_string_value(text), json_string_length(text));
}

static bool read_id(const json_t *instance, struct member *member)
{
    const json_t *id = json_object_get(instance, "instanceId");
    if (id == NULL) /* of clients before 1.4 */
        id = json_object_get(instance, "hostName");
    return json_is_string(id) &&
           member_set_id(member, json_string_value(id), json_string_length(id));
}

static bool is_up(const json_t *instance)
{
    const char *status = json_string_value(json_object_get(instance, "status"));
    return status != NULL && strcmp(status, "UP") == 0;
}

static enum rest_entry read_instance(const json_t *instance, struct member *member)
{
    if (json_is_object(instance) && !is_up(instance))
        return REST_NO_MEMBER;
    member->port = read_port(instance);
    traits_read(json_object_get(instance, "metadata"), member);
    bool has_host = read_host(json_object_get(instance, "ipAddr"), member) ||
                    read_host(json_object_get(instance, "hostName"), member);
    return has_host && member->port > 0 && read_id(instance, member) ? REST_MEMBER
                                                                     : REST_BAD_MEMBER;
}

/* A new reference to the instances of {"application":{"instance":..}}, or NULL. Some servers
 * write a list of one without the list. */
static json_t *find_instances(const json_t *answer)
{
    json_t *instances = json_object_get(json_object_get(answer, "application"), "instance");
    if (json_is_object(instances))
        return json_pack("[O]", instances);
    return json_is_array(instances) ? json_incref(instances) : NULL;
}

static enum driver_outcome read_members(const struct conf_registry *conf,
                                        const struct http_client_answer *answer,
                                        struct rest_lookup *lookup, char why[REST_WHY_SIZE])
{
    lookup->pause_ms = conf->refresh_ms;
    lookup->n = lookup->n_bad = 0;
    if (answer->status == 404)
        return DRIVER_DONE;
    if (answer->status != 200)
        return rest_refuse(answer, why);
    json_t *tree = json_text_read(answer->body, answer->len, JSON_ALLOW_NUL);
    json_t *instances = find_instances(tree);
    rest_read_list(instances, read_instance, lookup);
    enum driver_outcome outcome = instances != NULL ? DRIVER_DONE : rest_refuse_body(why);
    json_decref(instances);
    json_decref(tree);
    return outcome;
}

const struct rest_wire eureka_wire = {
    .has_login = true,
    .steps = {1, 1, 1, 1},
    .ask = ask,
    .judge = judge,
    .ask_members = ask_members,
    .read_members = read_members,
};
