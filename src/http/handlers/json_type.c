#include "config.h"

#include "http/handlers/json_type.h"

#include <string.h>

#include "http/octets.h"
#include "http/slice.h"

static struct slice take(struct slice *text, size_t len)
{
    struct slice taken = {text->at, len};
    text->at += len;
    text->len -= len;
    return taken;
}

static struct slice take_token(struct slice *text)
{
    return take(text, octets_span(text->at, text->len, OCTET_TOKEN));
}

static bool take_byte(struct slice *text, char byte)
{
    if (text->len == 0 || *text->at != byte)
        return false;
    take(text, 1);
    return true;
}

static bool take_value(struct slice *text, struct slice *ret_value)
{
    size_t quoted = octets_quoted(*text);
    if (quoted == 0) {
        *ret_value = take_token(text);
        return ret_value->len > 0;
    }
    *ret_value = take(text, quoted);
    take(ret_value, 1);
    ret_value->len--;
    return true;
}

/* One parameter, which may be empty (RFC 9110 section 5.6.6), and no charset but UTF-8. */
static bool take_parameter(struct slice *text)
{
    struct slice value, name = take_token(text);
    if (name.len == 0)
        return true;
    if (!take_byte(text, '=') || !take_value(text, &value))
        return false;
    return !OCTETS_ARE(name, "charset") || OCTETS_ARE(value, "utf-8");
}

static bool is_json(struct slice subtype)
{
    static const char suffix[] = "+json";
    size_t len = sizeof suffix - 1;
    if (OCTETS_ARE(subtype, "json"))
        return true;
    if (subtype.len <= len)
        return false;
    take(&subtype, subtype.len - len);
    return OCTETS_ARE(subtype, "+json");
}

bool json_type_fits(const char *content_type)
{
    struct slice rest = {content_type, content_type != NULL ? strlen(content_type) : 0};
    rest = octets_trim(rest);
    struct slice type = take_token(&rest);
    if (!OCTETS_ARE(type, "application") || !take_byte(&rest, '/') || !is_json(take_token(&rest)))
        return false;
    for (rest = octets_trim(rest); rest.len > 0; rest = octets_trim(rest)) {
        if (!take_byte(&rest, ';'))
            return false;
        rest = octets_trim(rest);
        if (!take_parameter(&rest))
            return false;
    }
    return true;
}
