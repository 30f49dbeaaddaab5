#include "config.h"

#include "conf/registry_url.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/percent.h"
#include "base/utf8.h"
#include "conf/url.h"

#define LETTERS_AND_DIGITS       \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz" \
    "0123456789"

#define SCHEME_CHARS LETTERS_AND_DIGITS "+-."

/* userinfo of RFC 3986 section 3.2.1, with the colon that parts it. */
#define USERINFO_CHARS LETTERS_AND_DIGITS "-._~!$&'()*+,;=:%"

#define MASK "********"

/* What Eureka's own clients are told, and what we add ourselves. */
#define EUREKA_TAIL "/apps"

/* What URLs of a type are like. */
static const struct kind {
    const char *scheme; /* that may be left out */
    const char *secure; /* NULL: none */
    const char *wrong_scheme;
    unsigned port;
} kinds[CONF_REGISTRY_TYPES] = {
    [CONF_REGISTRY_EUREKA] = {"http", "https", "its scheme is neither http nor https", 8761},
    [CONF_REGISTRY_CONSUL] = {"http", "https", "its scheme is neither http nor https", 8500},
    [CONF_REGISTRY_ETCD] = {"http", "https", "its scheme is neither http nor https", 2379},
    [CONF_REGISTRY_ZOOKEEPER] = {"zookeeper", NULL, "its scheme is not zookeeper", 2181},
    [CONF_REGISTRY_DISTRIBUTOR] = {"distributor", NULL, "its scheme is not distributor", 9000},
};

static int fail(const char *why, const char **ret_why)
{
    *ret_why = why;
    return -EINVAL;
}

/* The length of a scheme and the "://" behind it; 0: there is none. */
static size_t scheme_length(const char *text)
{
    size_t len = strspn(text, SCHEME_CHARS);

    return len > 0 && strncmp(text + len, "://", 3) == 0 ? len + 3 : 0;
}

static bool has_scheme(const char *text, const char *scheme)
{
    size_t len = strlen(scheme);

    return strncasecmp(text, scheme, len) == 0 && text[len] == ':';
}

/* The parts of a URL, within its text. */
struct parts {
    const struct kind *kind;
    bool is_tls;
    const char *userinfo; /* NULL: none */
    size_t userinfo_len;
    const char *authority; /* host and port */
    size_t authority_len;
    const char *path;
    size_t path_len;
};

static int cut_scheme(const char **text, struct parts *parts, const char **ret_why)
{
    const struct kind *kind = parts->kind;
    size_t len = scheme_length(*text);

    parts->is_tls = len > 0 && kind->secure != NULL && has_scheme(*text, kind->secure);
    if (len > 0 && !parts->is_tls && !has_scheme(*text, kind->scheme))
        return fail(kind->wrong_scheme, ret_why);
    *text += len;
    return 0;
}

static int cut_authority(const char **text, struct parts *parts, const char **ret_why)
{
    const char *end = *text + strcspn(*text, "/?#");
    const char *at = memchr(*text, '@', (size_t)(end - *text));

    if (strchr(at != NULL ? at + 1 : *text, '@') != NULL)
        return fail("'@', '/', '?' and '#' in a user name or password must be percent-encoded, and "
                    "'@' in a path",
                    ret_why);
    if (at != NULL) {
        parts->userinfo = *text;
        parts->userinfo_len = (size_t)(at - *text);
        *text = at + 1;
    }
    parts->authority = *text;
    parts->authority_len = (size_t)(end - *text);
    *text = end;
    return 0;
}

static int check_path(const char *path, enum conf_registry_type type, const char **ret_why)
{
    if (url_check_base(path, ret_why) < 0)
        return -EINVAL;
    if (strstr(path, "//") != NULL)
        return fail("the path has an empty segment", ret_why);
    if (type == CONF_REGISTRY_DISTRIBUTOR && path[0] != '\0' && path[1] != '\0')
        return fail("a distributor has no path", ret_why);
    if (type == CONF_REGISTRY_ZOOKEEPER && strchr(path, '%') != NULL)
        return fail("the path of ZooKeeper's nodes is written without '%'", ret_why);
    return 0;
}

static void trim(struct parts *parts, const char *tail)
{
    size_t len = strlen(tail);

    if (parts->path_len >= len && memcmp(parts->path + parts->path_len - len, tail, len) == 0)
        parts->path_len -= len;
}

static int cut(const char *text, enum conf_registry_type type, struct parts *parts,
               const char **ret_why)
{
    if (cut_scheme(&text, parts, ret_why) < 0 || cut_authority(&text, parts, ret_why) < 0 ||
        check_path(text, type, ret_why) < 0)
        return -EINVAL;
    parts->path = text;
    parts->path_len = strlen(text);
    trim(parts, "/");
    if (type == CONF_REGISTRY_EUREKA)
        trim(parts, EUREKA_TAIL);
    return 0;
}

/* Decode a part of the userinfo into *ret_text, allocated; NULL for an empty one. */
static int decode(const char *text, size_t len, char **ret_text, const char **ret_why)
{
    char *decoded = len > 0 ? malloc(len + 1) : NULL;
    size_t decoded_len;

    if (len > 0 && decoded == NULL)
        return -ENOMEM;
    *ret_text = decoded; /* to be freed whatever comes */
    if (len == 0)
        return 0;
    if (percent_decode(text, len, false, decoded, len + 1, &decoded_len) < 0)
        return fail("'%' in a user name or password needs two hexadecimal digits behind it",
                    ret_why);
    if (!utf8_is_printable(decoded, strlen(decoded)))
        return fail("a user name or password has a control character, or is no UTF-8", ret_why);
    return 0;
}

static int read_userinfo(const struct parts *parts, struct registry_url *url, const char **ret_why)
{
    const char *text = parts->userinfo;
    size_t len = parts->userinfo_len, user_len;
    const char *colon;
    int rc;

    if (text == NULL)
        return 0;
    if (parts->kind == &kinds[CONF_REGISTRY_DISTRIBUTOR])
        return fail("a distributor asks for no user name", ret_why);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' || strchr(USERINFO_CHARS, text[i]) == NULL)
            return fail("a user name or password has a byte that must be percent-encoded", ret_why);
    colon = memchr(text, ':', len);
    user_len = colon != NULL ? (size_t)(colon - text) : len;
    rc = decode(text, user_len, &url->user, ret_why);
    if (rc == 0 && url->user != NULL && strchr(url->user, ':') != NULL)
        rc = fail("a user name has no colon", ret_why);
    if (rc == 0 && colon != NULL)
        rc = decode(colon + 1, len - user_len - 1, &url->password, ret_why);
    return rc;
}

/* Set host and port to those of an endpoint that was read from `text`, a name if there is no
 * address. */
static int set_host(char *text, const struct address *address, struct registry_url *url)
{
    char formatted[ADDRESS_TEXT_SIZE];
    char *host = text, *colon;

    if (address != NULL) {
        address_format(address, formatted);
        host = formatted;
    }
    colon = strrchr(host, ':');
    *colon = '\0';
    url->port = (unsigned)strtoul(colon + 1, NULL, 10);
    if (host[0] == '[') {
        colon[-1] = '\0';
        host++;
    }
    url->host = strdup(host);
    return url->host != NULL ? 0 : -ENOMEM;
}

static int read_authority(const struct parts *parts, struct registry_url *url, const char **ret_why)
{
    char endpoint[2 * ENDPOINT_SIZE];
    struct address address;
    const char *bracket;
    bool is_name;
    int len = (int)parts->authority_len;

    if (len == 0 || parts->authority[0] == ':')
        return fail("there is no host", ret_why);
    if (len > ENDPOINT_SIZE)
        return fail("the host is too long", ret_why);
    (void)snprintf(endpoint, sizeof(endpoint), "%.*s", len, parts->authority);
    for (char *at = endpoint; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    bracket = strrchr(endpoint, ']');
    if (strchr(bracket != NULL ? bracket : endpoint, ':') == NULL)
        (void)snprintf(endpoint + len, sizeof(endpoint) - (size_t)len, ":%u", parts->kind->port);
    if (strncmp(endpoint, "unix:", 5) == 0)
        return fail("unix is no name of a host here", ret_why);
    if (endpoint_parse(endpoint, &is_name, &address, ret_why) < 0)
        return -EINVAL;
    return set_host(endpoint, is_name ? NULL : &address, url);
}

static int set_texts(const struct parts *parts, struct registry_url *url)
{
    bool is_ipv6 = strchr(url->host, ':') != NULL;
    char *text = NULL;

    url->is_tls = parts->is_tls;
    if (asprintf(&text, "%s://%s%s%s:%u%.*s",
                 parts->is_tls ? parts->kind->secure : parts->kind->scheme, is_ipv6 ? "[" : "",
                 url->host, is_ipv6 ? "]" : "", url->port, (int)parts->path_len, parts->path) < 0)
        return -ENOMEM;
    url->text = text;
    url->path = strndup(parts->path, parts->path_len);
    return url->path != NULL ? 0 : -ENOMEM;
}

int registry_url_parse(const char *text, enum conf_registry_type type, struct registry_url *ret_url,
                       const char **ret_why)
{
    struct parts parts = {.kind = &kinds[type]};
    struct registry_url url = {.is_tls = false};
    int rc;

    assert(parts.kind->scheme != NULL);
    if (strlen(text) > REGISTRY_URL_BYTES_MAX)
        return fail("it has more than 2048 bytes", ret_why);
    rc = cut(text, type, &parts, ret_why);
    if (rc == 0)
        rc = read_userinfo(&parts, &url, ret_why);
    if (rc == 0)
        rc = read_authority(&parts, &url, ret_why);
    if (rc == 0)
        rc = set_texts(&parts, &url);
    if (rc == 0)
        *ret_url = url;
    else
        registry_url_clear(&url);
    return rc;
}

void registry_url_clear(struct registry_url *url)
{
    free(url->host);
    free(url->path);
    free(url->user);
    free(url->password);
    free(url->text);
    *url = (struct registry_url){.is_tls = false};
}

/* Whether there is no more than "host", "host:port" or "[IPv6]:port" before the path. */
static bool is_plain(const char *text)
{
    size_t bracket = text[0] == '[' ? 1 + strspn(text + 1, "0123456789abcdefABCDEF:.") : 0;
    size_t host, port;

    if (bracket > 0 && text[bracket] == ']')
        text += bracket + 1;
    host = strcspn(text, ":/");
    if (text[host] != ':')
        return true;
    port = strspn(text + host + 1, "0123456789");
    return port > 0 && (text[host + 1 + port] == '\0' || text[host + 1 + port] == '/');
}

/* Up to the last '@', wherever it stands: somebody may have forgotten to encode a '/'. */
void registry_url_mask(const char *text, char buf[REGISTRY_URL_MASKED_SIZE])
{
    int scheme = (int)scheme_length(text);
    const char *at = strrchr(text + scheme, '@');

    if (at == NULL && is_plain(text + scheme))
        (void)snprintf(buf, REGISTRY_URL_MASKED_SIZE, "%s", text);
    else if (at == NULL)
        (void)snprintf(buf, REGISTRY_URL_MASKED_SIZE, "%.*s" MASK, scheme, text);
    else
        (void)snprintf(buf, REGISTRY_URL_MASKED_SIZE, "%.*s" MASK "%s", scheme, text, at);
}

bool registry_url_is_torn(const char *first, const char *second)
{
    return strchr(first, '@') == NULL && strchr(second, '@') != NULL && scheme_length(second) == 0;
}
