/* GET /discovery and GET /discovery/NAME: who can be asked for a service, for clients that choose.
 */
#include "config.h"

#include <string.h>

#include "admin/answer.h"
#include "admin/guard.h"
#include "admin/site_state.h"
#include "control/inquiry.h"
#include "http/handlers/handler.h"
#include "http/query.h"
#include "http/request.h"

/* Set the member of the inquiry that the parameter is for; false: there is none, or it is set. */
static bool take(struct inquiry *inquiry, const struct query_pair *pair)
{
    const char **member = strcmp(pair->key, "choose") == 0 ? &inquiry->choose
                          : strcmp(pair->key, "key") == 0  ? &inquiry->key
                                                           : NULL;
    if (member == NULL || **member != '\0' || *pair->value == '\0')
        return false;
    *member = pair->value;
    return true;
}

/* The texts live as long as the request. NULL: all is well; else what is wrong with the query. */
static const char *read_query(const struct http_request *request, struct inquiry *inquiry)
{
    const char *query = request_query(request);
    size_t len = strlen(query);
    char *buf = request_memory(request, len + 1);
    struct query_cursor cursor;
    struct query_pair pair;
    int more;
    if (buf == NULL)
        return "out of memory";
    query_start(&cursor, query, len, buf);
    while ((more = query_next(&cursor, &pair)) > 0)
        if (!take(inquiry, &pair))
            return "the query may have choose and key, each once and with a value";
    return more < 0 ? "the query has a bad escape" : NULL;
}

static void serve(struct http_request *request)
{
    static const int statuses[] = {[INQUIRY_ANSWERED] = 200,
                                   [INQUIRY_BAD] = 400,
                                   [INQUIRY_UNKNOWN] = 404,
                                   [INQUIRY_NOBODY] = 503,
                                   [INQUIRY_FAILED] = 503};
    const char *service = request_wildcard(request, "name");
    struct inquiry inquiry = {.service = service != NULL ? service : "", .choose = "", .key = ""};
    char why[INQUIRY_WHY_SIZE];
    json_t *json = NULL;
    if (!guard_admits(request, REACH_READING))
        return;
    const char *wrong = read_query(request, &inquiry);
    if (wrong != NULL) {
        answer_line(request, 400, NULL, wrong);
        return;
    }
    const struct admin_site_settings *settings = &site_of(request)->settings;
    bool is_on = settings->conf->registry.type != CONF_REGISTRY_NONE;
    enum inquiry_end end = inquiry_answer(is_on ? settings->directory : NULL, &inquiry, &json, why);
    if (end == INQUIRY_ANSWERED)
        answer_json(request, inquiry_is_known(json) ? 200 : 503, json);
    else if (statuses[end] == 503)
        answer_later(request, why);
    else
        answer_line(request, statuses[end], NULL, why);
    json_decref(json);
}

const struct handler admin_discovery = {.conf = {.name = "discovery", .methods = "GET, HEAD"},
                                        .serve = serve};
