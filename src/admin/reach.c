#include "config.h"

#include "admin/reach.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "http/authority.h"

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static bool is_loopback_name(struct slice name)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr address;
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0;
}

/* A request without Host (HTTP/1.0) comes from no browser. */
static bool names_loopback(const char *host)
{
    struct authority authority;
    if (host[0] == '\0')
        return true;
    return authority_parse(slice_of(host), &authority) && is_loopback_name(authority.name);
}

/* The host and port of "http://host:port", or NULL. */
static const char *authority_of(const char *origin)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0)
            return origin + strlen(schemes[i]);
    return NULL;
}

static bool is_own_origin(const char *origin, const char *host)
{
    struct authority theirs, ours;
    const char *authority = authority_of(origin);
    return authority != NULL && authority_parse(slice_of(authority), &theirs) &&
           authority_parse(slice_of(host), &ours) && authority_equal(&theirs, &ours);
}

static bool is_from_elsewhere(const struct reach_request *request)
{
    const char *site = request->fetch_site;
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    return request->origin != NULL && !is_own_origin(request->origin, request->host);
}

/* Every byte that was sent is compared with some byte of the secret. */
static bool same_secret(const char *sent, const char *secret)
{
    size_t len = strlen(sent), secret_len = strlen(secret);
    unsigned difference = len != secret_len;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)sent[i] ^ (unsigned char)secret[i % secret_len];
    return difference == 0;
}

/* "Bearer TOKEN" (RFC 6750 section 2.1). */
static enum reach_answer judge_token(const char *authorization, const char *secret)
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return REACH_NO_TOKEN;
    const char *sent = authorization + sizeof scheme - 1;
    return same_secret(sent + strspn(sent, " "), secret) ? REACH_GRANTED : REACH_WRONG_TOKEN;
}

enum reach_answer reach_judge(const struct reach_rules *rules, enum reach_need need,
                              const struct reach_request *request)
{
    if (rules->own_names && !names_loopback(request->host))
        return REACH_OTHER_HOST;
    if (need == REACH_NOTHING || (need == REACH_READING && rules->is_local))
        return REACH_GRANTED;
    if (need == REACH_ORDERS && is_from_elsewhere(request))
        return REACH_OTHER_ORIGIN;
    if (rules->token[0] == '\0')
        return REACH_NO_ORDERS;
    return judge_token(request->authorization, rules->token);
}
