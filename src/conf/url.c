#include "config.h"

#include "conf/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME        "http://"
#define SECURE_SCHEME "https://"
#define DEFAULT_PORT  ":80"

/* pchar of RFC 3986 section 3.3 but pct-encoded, and the slash. */
#define PATH_CHARS                         \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"           \
    "abcdefghijklmnopqrstuvwxyz0123456789" \
    "-._~!$&'()*+,;=:@/"

static int fail(const char *why, const char **ret_why)
{
    *ret_why = why;
    return -EINVAL;
}

static int check_scheme(const char *text, const char **ret_why)
{
    if (strncasecmp(text, SECURE_SCHEME, strlen(SECURE_SCHEME)) == 0)
        return fail("https is not supported, only http", ret_why);
    if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
        return fail("it does not begin with http://", ret_why);
    return 0;
}

/* How many dots the segment is, plain or encoded; 0: it has something else, or nothing. */
static size_t dots_of(const char *segment, size_t len)
{
    size_t n = 0;

    for (const char *end = segment + len; segment < end; n++) {
        if (*segment == '.')
            segment++;
        else if (end - segment >= 3 && strncasecmp(segment, "%2e", 3) == 0)
            segment += 3;
        else
            return 0;
    }
    return n;
}

static int check_segments(const char *base, const char **ret_why)
{
    while (*base == '/') {
        size_t len = strcspn(++base, "/"), dots = dots_of(base, len);

        if (dots == 1 || dots == 2)
            return fail("the path has a segment '.' or '..'", ret_why);
        base += len;
    }
    return 0;
}

int url_check_base(const char *base, const char **ret_why)
{
    if (strlen(base) > URL_BASE_BYTES_MAX)
        return fail("the path has more than 1024 bytes", ret_why);
    for (const char *at = base; (at += strspn(at, PATH_CHARS)) && *at != '\0';) {
        if (*at == '?' || *at == '#')
            return fail("it has a query or a fragment", ret_why);
        if (*at != '%')
            return fail("the path has a byte that must be percent-encoded", ret_why);
        if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
            return fail("'%' in the path needs two hexadecimal digits behind it", ret_why);
        if (strncmp(at, "%00", 3) == 0)
            return fail("the path has an encoded NUL", ret_why);
        at += 3;
    }
    return check_segments(base, ret_why);
}

/* Write a NAME:PORT without leading zeros; it is shorter than ENDPOINT_SIZE. */
static void format_name(const char *text, char buf[ENDPOINT_SIZE])
{
    int len = (int)strcspn(text, ":");

    (void)snprintf(buf, ENDPOINT_SIZE, "%.*s:%ld", len, text, strtol(text + len + 1, NULL, 10));
}

/* One server has one form: the implicit upstream is found by it. */
static int parse_authority(const char *text, size_t len, char buf[ENDPOINT_SIZE],
                           const char **ret_why)
{
    char endpoint[2 * ENDPOINT_SIZE];
    struct address address;
    bool is_name;
    int rc;

    if (len == 0)
        return fail("there is no host", ret_why);
    if (len > ENDPOINT_SIZE)
        return fail("the host is too long", ret_why);
    if (memchr(text, '@', len) != NULL)
        return fail("a user name or password is not supported", ret_why);
    (void)snprintf(endpoint, sizeof(endpoint), "%.*s", (int)len, text);
    for (char *at = endpoint; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at); /* before it is judged: "Unix" is no name */
    const char *host_end = strrchr(endpoint, ']');
    if (strchr(host_end != NULL ? host_end : endpoint, ':') == NULL)
        (void)strcat(endpoint, DEFAULT_PORT);

    if (strncmp(endpoint, "unix:", 5) == 0)
        return fail("a unix socket needs an upstream of its own", ret_why);
    rc = endpoint_parse(endpoint, &is_name, &address, ret_why);
    if (rc < 0)
        return rc;
    if (is_name)
        format_name(endpoint, buf);
    else
        address_format(&address, buf);
    return 0;
}

int url_parse(const char *text, struct url *ret_url, const char **ret_why)
{
    struct url url;
    int rc = check_scheme(text, ret_why);

    if (rc < 0)
        return rc;
    text += strlen(SCHEME);
    url.base = text + strcspn(text, "/?#");
    rc = parse_authority(text, (size_t)(url.base - text), url.host_port, ret_why);
    if (rc == 0)
        rc = url_check_base(url.base, ret_why);
    if (rc == 0)
        *ret_url = url;
    return rc;
}
