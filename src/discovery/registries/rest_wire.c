#include "config.h"

#include "discovery/registries/rest_wire.h"

#include <stdio.h>

#include "discovery/http_client.h"

static enum driver_outcome outcome_of(int status)
{
    if (status == 401 || status == 403)
        return DRIVER_DENIED;
    if (status == 408 || status == 429)
        return DRIVER_UNREACHABLE;
    return status >= 400 && status <= 499 ? DRIVER_REJECTED : DRIVER_UNREACHABLE;
}

void rest_explain(char why[REST_WHY_SIZE], const char *phrase)
{
    (void)snprintf(why, REST_WHY_SIZE, "%s", phrase);
}

enum driver_outcome rest_refuse(const struct http_client_answer *answer, char why[REST_WHY_SIZE])
{
    if (answer->status == 0)
        rest_explain(why, answer->error);
    else
        (void)snprintf(why, REST_WHY_SIZE, "it answered with status %d", answer->status);
    return outcome_of(answer->status);
}

enum driver_outcome rest_refuse_body(char why[REST_WHY_SIZE])
{
    rest_explain(why, "its answer makes no sense");
    return DRIVER_UNREACHABLE;
}

enum driver_outcome rest_judge(const struct rest_verdict *rows, size_t n_rows,
                               enum driver_task task, unsigned step,
                               const struct http_client_answer *answer, char why[REST_WHY_SIZE])
{
    enum driver_outcome outcome = rest_refuse(answer, why);
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].task == task && rows[i].step == step && rows[i].status == answer->status)
            outcome = rows[i].outcome;
    return outcome;
}

static int add_part(const char *part, size_t len, void *arg)
{
    struct bytes *bytes = arg;
    bytes_add(bytes, part, len);
    return bytes->failed ? -1 : 0;
}

void rest_set_body(struct rest_request *request, json_t *value)
{
    if (value == NULL || json_dump_callback(value, add_part, &request->body, JSON_COMPACT) != 0)
        request->body.failed = true;
    json_decref(value);
}

void rest_request_clear(struct rest_request *request)
{
    bytes_free(&request->target);
    bytes_free(&request->body);
}

void rest_read_list(const json_t *list,
                    enum rest_entry (*read)(const json_t *entry, struct member *member),
                    struct rest_lookup *lookup)
{
    lookup->n = lookup->n_bad = 0;
    for (size_t i = 0; i < json_array_size(list) && lookup->n < MEMBERS_MAX; i++) {
        struct member *member = &lookup->members[lookup->n];
        member_init(member);
        enum rest_entry entry = read(json_array_get(list, i), member);
        lookup->n += entry == REST_MEMBER;
        lookup->n_bad += entry == REST_BAD_MEMBER;
    }
}
