#include "config.h"

#include "http/head_line.h"

#include <stdbool.h>
#include <string.h>

#include "http/authority.h"
#include "http/head_field.h"
#include "http/octets.h"

struct request_line {
    struct slice method;
    struct slice target;
    struct slice version;
    bool is_plain; /* the target has neither a query nor an escape */
};

static int refuse_target(struct head *head, struct slice rest, size_t valid)
{
    if (valid == rest.len)
        return head_refuse(head, 400, "the request line has no version, as in HTTP/0.9");
    if (valid == 0 && octets_is(rest.at[0], OCTET_BLANK))
        return head_refuse(head, 400, "there is more than one space behind the method");
    return head_refuse(head, 400, "the target has a byte that no target may have");
}

static int split(struct head *head, struct slice line, struct request_line *ret_parts)
{
    size_t method = octets_span(line.at, line.len, OCTET_TOKEN);
    struct slice rest;
    size_t plain;
    size_t target;

    if (method == line.len || line.at[method] != ' ' || method == 0)
        return head_refuse(head, 400, "there is no method with a space behind it");
    rest = (struct slice){.at = line.at + method + 1, .len = line.len - method - 1};
    plain = octets_span(rest.at, rest.len, OCTET_PLAIN);
    target = plain + octets_span(rest.at + plain, rest.len - plain, OCTET_TARGET);
    if (target == 0 || target == rest.len || rest.at[target] != ' ')
        return refuse_target(head, rest, target);
    ret_parts->method = (struct slice){.at = line.at, .len = method};
    ret_parts->target = (struct slice){.at = rest.at, .len = target};
    ret_parts->version = (struct slice){.at = rest.at + target + 1, .len = rest.len - target - 1};
    ret_parts->is_plain = plain == target;
    return 0;
}

static int read_version(struct head *head, struct slice version)
{
    const char *at = version.at;

    if (version.len != 8 || memcmp(at, "HTTP/", 5) != 0 || !octets_is(at[5], OCTET_DIGIT) ||
        at[6] != '.' || !octets_is(at[7], OCTET_DIGIT))
        return head_refuse(head, 400, "the version is malformed");
    if (at[5] != '1')
        return head_refuse(head, 505, "the major version is not 1");
    head->minor = at[7] != '0';
    return 0;
}

static int read_method(struct head *head, struct slice method)
{
    static const struct {
        const char *name;
        size_t len;
        enum http_method verb;
    } known[] = {
        {"GET", 3, METHOD_GET},         {"HEAD", 4, METHOD_HEAD},     {"POST", 4, METHOD_POST},
        {"PUT", 3, METHOD_PUT},         {"DELETE", 6, METHOD_DELETE}, {"PATCH", 5, METHOD_PATCH},
        {"OPTIONS", 7, METHOD_OPTIONS}, {"TRACE", 5, METHOD_TRACE},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (method.len == known[i].len && memcmp(method.at, known[i].name, method.len) == 0) {
            head->verb = known[i].verb;
            return 0;
        }
    }
    if (OCTETS_ARE(method, "connect"))
        return head_refuse(head, 501, "CONNECT is not served");
    return head_refuse(head, 501, "the method is unknown");
}

/* Escapes of the path only: what a query holds is for its reader to judge. */
static int check_path(struct head *head, struct slice path)
{
    const char *query = memchr(path.at, '?', path.len);
    const char *end = query ? query : path.at + path.len;
    const char *escape = path.at;

    while ((escape = memchr(escape, '%', (size_t)(end - escape)))) {
        if (end - escape < 3 || !octets_is(escape[1], OCTET_HEX) ||
            !octets_is(escape[2], OCTET_HEX))
            return head_refuse(head, 400, "the path has a malformed percent escape");
        if (escape[1] == '0' && escape[2] == '0')
            return head_refuse(head, 400, "the path has an escaped NUL");
        escape += 3;
    }
    return 0;
}

static bool has_prefix(struct slice text, const char *lower, size_t len)
{
    text.len = text.len < len ? text.len : len;
    return octets_match(text, lower, len);
}

#define BEGINS(text, literal) has_prefix((text), (literal), sizeof(literal) - 1)

/* "http://" has been seen in front. */
static int check_absolute(struct head *head, const char *bytes, struct slice target)
{
    struct slice authority = {.at = target.at + 7, .len = 0};
    struct slice path = {.at = authority.at, .len = target.len - 7};
    struct authority parsed;

    while (path.len > 0 && path.at[0] != '/' && path.at[0] != '?') {
        path.at++;
        path.len--;
    }
    authority.len = (size_t)(path.at - authority.at);
    if (!authority_parse(authority, &parsed))
        return head_refuse(head, 400, "the host in the target is malformed");
    head->authority_span.at = (size_t)(authority.at - bytes);
    head->authority_span.len = authority.len;
    return check_path(head, path);
}

/* RFC 9112 section 3.2: four forms, of which CONNECT alone has the authority form. */
static int read_target(struct head *head, const char *bytes, struct slice target, bool is_plain)
{
    if (target.at[0] == '/')
        return is_plain ? 0 : check_path(head, target);
    if (target.at[0] == '*' && target.len == 1) {
        if (head->verb == METHOD_OPTIONS)
            return 0;
        return head_refuse(head, 400, "the target * is for OPTIONS only");
    }
    if (BEGINS(target, "http://"))
        return check_absolute(head, bytes, target);
    if (BEGINS(target, "https://"))
        return head_refuse(head, 421, "the target is https, the connection is not");
    return head_refuse(head, 400, "the target is neither a path nor an http URI");
}

int head_line_read(struct head *head, size_t uri_max, const char *bytes, struct slice line)
{
    struct request_line parts = {.method = {0}};
    int status = split(head, line, &parts);

    if (status == 0)
        status = read_version(head, parts.version);
    if (status == 0)
        status = read_method(head, parts.method);
    if (status != 0)
        return status;
    if (parts.target.len > uri_max) {
        head->limit = HEAD_LIMIT_URI;
        return head_refuse(head, 414, "the target is too long");
    }
    head->method_span.at = (size_t)(parts.method.at - bytes);
    head->method_span.len = parts.method.len;
    head->target_span.at = (size_t)(parts.target.at - bytes);
    head->target_span.len = parts.target.len;
    return read_target(head, bytes, parts.target, parts.is_plain);
}
