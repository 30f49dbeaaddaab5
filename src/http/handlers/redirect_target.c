#include "config.h"

#include "http/handlers/redirect_target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/authority.h"

/* Whether RFC 3986 section 2 lets the byte stand in a URI; '%' is taken for an escape. */
static bool is_uri_byte(char c)
{
    return c > 0x20 && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL;
}

static bool has_only_uri_bytes(const char *text)
{
    while (is_uri_byte(*text))
        text++;
    return *text == '\0';
}

/* What follows "http://" or "https://"; NULL for another text. */
static const char *skip_scheme(const char *to)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(to, schemes[i], strlen(schemes[i])) == 0)
            return to + strlen(schemes[i]);
    return NULL;
}

const char *redirect_target_check(const char *to)
{
    const char *host = skip_scheme(to);
    struct slice text = {host, host != NULL ? strcspn(host, "/?#") : 0};
    struct authority authority;
    if (!has_only_uri_bytes(to))
        return "to: a byte that may not stand in a URI must be percent-encoded";
    if (to[0] == '/')
        return to[1] == '/' ? "to: a path begins with one slash only" : NULL;
    if (host == NULL)
        return "to: neither a path nor an http or https URL";
    return authority_parse(text, &authority) ? NULL : "to: the host of the URL is not valid";
}

/* Each puts something where *out points to and moves *out behind it. */
static void put(char **out, const char *text, size_t len)
{
    memcpy(*out, text, len);
    *out += len;
}

static void put_byte_encoded(char **out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
    put(out, escape, sizeof escape);
}

static void put_encoded(char **out, const char *text)
{
    for (; *text != '\0'; text++)
        if (is_uri_byte(*text))
            put(out, text, 1);
        else
            put_byte_encoded(out, *text);
}

static void put_below(char **out, const char *below)
{
    below += strspn(below, "/");
    if (*below != '\0' && (*out)[-1] != '/')
        put(out, "/", 1);
    put_encoded(out, below);
}

static void put_query(char **out, const char *query, bool is_first)
{
    if (*query == '\0')
        return;
    put(out, is_first ? "?" : "&", 1);
    put_encoded(out, query);
}

char *redirect_target_join(const char *to, const char *below, const char *query)
{
    size_t path_len = strcspn(to, "?#");
    const char *own_query = to + path_len;
    size_t query_len = strcspn(own_query, "#");
    const char *fragment = own_query + query_len;
    char *text = malloc(strlen(to) + 3 * (strlen(below) + strlen(query)) + sizeof "/?");
    char *out = text;
    if (text == NULL)
        return NULL;
    put(&out, to, path_len);
    put_below(&out, below);
    put(&out, own_query, query_len);
    put_query(&out, query, query_len == 0);
    put(&out, fragment, strlen(fragment) + 1);
    return text;
}
