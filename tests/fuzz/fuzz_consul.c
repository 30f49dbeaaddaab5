/*
 * What a Consul agent answers to GET /v1/health/service/NAME: its index in a line of its own,
 * then the body. Whatever it is: the members can be used, and the index never goes back but to 0.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "conf/registry.h"
#include "discovery/http_client.h"
#include "discovery/registries/consul_wire.h"

#define BEFORE 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_members(const struct rest_lookup *lookup)
{
    check(lookup->n <= MEMBERS_MAX && lookup->pause_ms >= 1000);
    check(lookup->index == 0 || lookup->index >= BEFORE);
    for (size_t i = 0; i < lookup->n; i++) {
        const struct member *member = &lookup->members[i];
        check(memchr(member->id, '\0', sizeof member->id) != NULL && member->id[0] != '\0');
        check(memchr(member->host, '\0', sizeof member->host) != NULL && member->host[0] != '\0');
        check(member->port >= 1 && member->port <= 65535);
        check(member->weight >= 1 && member->weight <= 65535);
        check(member->fail_timeout_ms >= 1 && !member->is_down);
    }
}

static void check_answer(const char *index, const char *body)
{
    static struct rest_lookup lookup;
    struct conf_registry conf = {.refresh_ms = 1000};
    struct evkeyvalq fields;
    char why[REST_WHY_SIZE] = "";

    TAILQ_INIT(&fields);
    (void)evhttp_add_header(&fields, "X-Consul-Index", index);
    struct http_client_answer answer = {
        .status = 200, .body = body, .len = strlen(body), .fields = &fields};
    lookup.index = BEFORE;
    if (consul_wire.read_members(&conf, &answer, &lookup, why) == DRIVER_DONE)
        check_members(&lookup);
    else
        check(why[0] != '\0');
    evhttp_clear_headers(&fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t line = end != NULL ? (size_t)(end - data) : 0;
    size_t rest = end != NULL ? line + 1 : 0;
    char *index = calloc(line + 1, 1), *body = calloc(size - rest + 1, 1);

    check(index != NULL && body != NULL);
    if (line > 0)
        memcpy(index, data, line);
    if (size > rest)
        memcpy(body, data + rest, size - rest);
    check_answer(index, body);
    free(index);
    free(body);
    return 0;
}
