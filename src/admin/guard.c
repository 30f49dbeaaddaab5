#include "config.h"

#include "admin/guard.h"

#include <stdio.h>
#include <strings.h>

#include "admin/answer.h"
#include "admin/site_state.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"

#define QUIET_MS 1000

/* How each refusal looks; RFC 6750 section 3 for the challenges. */
static const struct {
    int status;
    const char *challenge;
    const char *text;
} refusals[] = {
    [REACH_OTHER_HOST] = {421, NULL, "this host is not served here; see admin.hosts"},
    [REACH_OTHER_ORIGIN] = {403, NULL, "orders are not taken from pages of other sites"},
    [REACH_NO_ORDERS] = {403, NULL, "there is no admin.token, and without it nobody may"},
    [REACH_NO_TOKEN] = {401, "Bearer realm=\"zombie-server\"", "send Authorization: Bearer TOKEN"},
    [REACH_WRONG_TOKEN] = {401, "Bearer realm=\"zombie-server\", error=\"invalid_token\"",
                           "this is not the token"},
};

/* Somebody may be guessing; somebody who guesses shall not fill the log. */
static void tell_log(struct admin_site *site, const struct http_request *request)
{
    int64_t now_ms = clock_now_ms();
    site->refused++;
    if (site->refused_ms != 0 && now_ms - site->refused_ms < QUIET_MS)
        return;
    site->refused_ms = now_ms;
    struct log_field fields[] = {LOG_TEXT("client", request_client_text(request)),
                                 LOG_NUMBER("refused", site->refused)};
    log_write(LOG_LEVEL_WARNING, fields, 2, "a request with a wrong admin token is refused");
}

static void refuse(struct http_request *request, enum reach_need need, enum reach_answer answer)
{
    int status = refusals[answer].status;
    const char *challenge = refusals[answer].challenge, *text = refusals[answer].text;
    if (need == REACH_ORDERS)
        answer_order(request, status, challenge, "not-allowed", text);
    else
        answer_line(request, status, challenge, text);
}

/* What decides; each may come once (RFC 9110 section 5.3), as Host does by what reads heads. */
static const char *const fields[] = {"Authorization", "Origin", "Sec-Fetch-Site"};

#define N_FIELDS (sizeof fields / sizeof fields[0])

struct field_counts {
    size_t n[N_FIELDS];
};

static void count_field(const char *name, const char *value, void *arg)
{
    struct field_counts *counts = arg;
    (void)value;
    for (size_t i = 0; i < N_FIELDS; i++)
        counts->n[i] += strcasecmp(name, fields[i]) == 0;
}

/* One of them that comes twice, or NULL: somebody in between may have looked at the other. */
static const char *find_repeated(const struct http_request *request)
{
    struct field_counts counts = {.n = {0}};
    request_each_header(request, count_field, &counts);
    for (size_t i = 0; i < N_FIELDS; i++)
        if (counts.n[i] > 1)
            return fields[i];
    return NULL;
}

static void refuse_repeated(struct http_request *request, enum reach_need need, const char *field)
{
    char text[64];
    snprintf(text, sizeof text, "%s is repeated", field);
    if (need == REACH_ORDERS)
        answer_order(request, 400, NULL, "bad-request", text);
    else
        answer_line(request, 400, NULL, text);
}

bool guard_admits(struct http_request *request, enum reach_need need)
{
    struct admin_site *site = site_of(request);
    const char *repeated = find_repeated(request);
    if (repeated != NULL) {
        refuse_repeated(request, need, repeated);
        return false;
    }
    struct reach_request asked = {
        .host = request_host(request),
        .authorization = request_header(request, "Authorization"),
        .origin = request_header(request, "Origin"),
        .fetch_site = request_header(request, "Sec-Fetch-Site"),
    };
    enum reach_answer answer = reach_judge(&site->rules, need, &asked);
    if (answer == REACH_GRANTED)
        return true;
    if (answer == REACH_WRONG_TOKEN)
        tell_log(site, request);
    refuse(request, need, answer);
    return false;
}
