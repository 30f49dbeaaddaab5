/*
 * Chaos testing: answers 200 and names the worker, which then dies in the way
 * that was asked for. Exists only while chaos is switched on.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "http/handlers/handler.h"
#include "http/identity.h"
#include "http/query.h"
#include "http/reply.h"
#include "http/request.h"

#define AFTER_MS_MAX 3600000

static bool exists(const struct conf *conf)
{
    return conf->chaos.enabled;
}

static bool comes_from(const struct conf_list *networks, const struct http_request *request)
{
    for (size_t i = 0; i < networks->n; i++) {
        struct network network;
        const char *why;
        if (network_parse(networks->items[i], &network, &why) == 0 &&
            network_contains(&network, request_client(request)))
            return true;
    }
    return false;
}

/* Compare in a time that depends on the length alone, so that no byte can be guessed by it. */
static bool same_secret(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned char difference = 0;
    if (strlen(b) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

/* "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). */
static bool bears(const char *token, const struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *value = request_header(request, "Authorization");
    return token[0] != '\0' && value != NULL &&
           strncasecmp(value, scheme, sizeof scheme - 1) == 0 &&
           same_secret(value + sizeof scheme - 1, token);
}

/* From a listed network, or with the token; without either in the configuration, everybody. */
static bool is_allowed(const struct conf_chaos *chaos, const struct http_request *request)
{
    bool open = chaos->networks.n == 0 && chaos->token[0] == '\0';
    return open || comes_from(&chaos->networks, request) || bears(chaos->token, request);
}

static void refuse(struct http_request *request, const struct conf_chaos *chaos)
{
    static const struct reply_header challenge[] = {{"WWW-Authenticate", "Bearer realm=\"chaos\""},
                                                    {NULL, NULL}};
    static const char body[] = "401 Unauthorized: send Authorization: Bearer TOKEN\n";
    if (chaos->token[0] == '\0') {
        reply_error(request, 403, "your address is not in chaos.networks");
        return;
    }
    struct reply reply = {.status = 401,
                          .type = "text/plain; charset=utf-8",
                          .body = body,
                          .len = sizeof body - 1,
                          .headers = challenge};
    reply_send(request, &reply);
}

/* What the query asks for; -1: a value that is none. */
struct wish {
    int mode; /* enum chaos_mode */
    long after_ms;
};

static int read_mode(const char *word)
{
    for (int mode = 0; mode < CHAOS_MODES; mode++)
        if (strcmp(word, chaos_mode_name((enum chaos_mode)mode)) == 0)
            return mode;
    return -1;
}

static long read_delay(const char *digits)
{
    long after_ms;
    return number_parse(digits, 0, AFTER_MS_MAX, &after_ms) == 0 ? after_ms : -1;
}

/* Read what stands first for each key. Returns 0, -ENOMEM, or -EINVAL for a bad escape. */
static int read_wish(const struct http_request *request, struct wish *wish)
{
    const char *query = request_query(request);
    size_t len = strlen(query);
    char *buf = request_memory(request, len + 1);
    struct query_cursor cursor;
    struct query_pair pair;
    bool has_mode = false, has_delay = false;
    int rc;
    if (buf == NULL)
        return -ENOMEM;
    query_start(&cursor, query, len, buf);
    while ((rc = query_next(&cursor, &pair)) > 0) {
        if (!has_mode && strcmp(pair.key, "mode") == 0)
            has_mode = true, wish->mode = read_mode(pair.value);
        else if (!has_delay && strcmp(pair.key, "after_ms") == 0)
            has_delay = true, wish->after_ms = read_delay(pair.value);
    }
    return rc;
}

static void announce(struct http_request *request, enum chaos_mode mode, long after_ms)
{
    const struct worker_identity *identity = request_identity(request);
    static const struct reply_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    char body[160];
    snprintf(body, sizeof body,
             "{\"worker\":%" PRIu64 ",\"slot\":%" PRIu32 ",\"pid\":%" PRId64
             ",\"mode\":\"%s\",\"after_ms\":%ld}\n",
             identity->worker, identity->slot, identity->pid, chaos_mode_name(mode), after_ms);
    struct reply reply = {.status = 200,
                          .type = "application/json",
                          .body = body,
                          .len = strlen(body),
                          .headers = headers};
    reply_then_die(request, mode, (uint32_t)after_ms);
    reply_send(request, &reply);
}

static void serve(struct http_request *request)
{
    const struct conf_chaos *chaos = request_chaos(request);
    if (!is_allowed(chaos, request)) {
        refuse(request, chaos);
        return;
    }
    struct wish wish = {CHAOS_EXIT, 0};
    int err = read_wish(request, &wish);
    if (err == -ENOMEM)
        reply_error(request, 500, "out of memory");
    else if (err < 0)
        reply_error(request, 400, "the query has a bad percent escape");
    else if (wish.mode < 0)
        reply_error(request, 400, "mode is one of exit, kill, segv, abort, hang");
    else if (wish.after_ms < 0)
        reply_error(request, 400, "after_ms is a whole number from 0 to 3600000");
    else
        announce(request, (enum chaos_mode)wish.mode, wish.after_ms);
}

static const struct conf_option options[] = {{.key = NULL}};

const struct handler handler_worker_killer = {
    .conf = {.name = "worker_killer", .methods = "GET, POST", .options = options},
    .exists = exists,
    .serve = serve,
};
