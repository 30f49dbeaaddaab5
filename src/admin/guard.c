#include "config.h"

#include "admin/guard.h"

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

bool guard_admits(struct http_request *request, enum reach_need need)
{
    struct admin_site *site = site_of(request);
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
