/*
 * What an Eureka server answers to GET apps/APP. Whatever it is: the members can be used, and
 * nothing of it is read beyond its end.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/registry.h"
#include "discovery/http_client.h"
#include "discovery/registries/eureka_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_members(const struct rest_lookup *lookup)
{
    check(lookup->n <= MEMBERS_MAX && lookup->pause_ms == 1000);
    for (size_t i = 0; i < lookup->n; i++) {
        const struct member *member = &lookup->members[i];
        check(memchr(member->id, '\0', sizeof member->id) != NULL && member->id[0] != '\0');
        check(memchr(member->host, '\0', sizeof member->host) != NULL && member->host[0] != '\0');
        check(member->port >= 1 && member->port <= 65535);
        check(member->weight >= 1 && member->weight <= 65535);
        check(member->fail_timeout_ms >= 1 && !member->is_down);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rest_lookup lookup;
    struct conf_registry conf = {.refresh_ms = 1000};
    char *body = calloc(size + 1, 1);
    char why[REST_WHY_SIZE] = "";

    check(body != NULL);
    if (size > 0)
        memcpy(body, data, size);
    struct http_client_answer answer = {.status = 200, .body = body, .len = size};
    if (eureka_wire.read_members(&conf, &answer, &lookup, why) == DRIVER_DONE)
        check_members(&lookup);
    else
        check(why[0] != '\0');
    free(body);
    return 0;
}
