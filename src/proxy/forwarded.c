#include "config.h"

#include "proxy/forwarded.h"

#include <netinet/in.h>
#include <string.h>

#include "http/octets.h"

static const char *const names[FORWARDED_FIELDS] = {
    [FORWARDED_X_FOR] = "X-Forwarded-For",
    [FORWARDED_X_PROTO] = "X-Forwarded-Proto",
    [FORWARDED_X_HOST] = "X-Forwarded-Host",
    [FORWARDED_STANDARD] = "Forwarded",
    [FORWARDED_VIA] = "Via",
};

static bool is_name(struct slice name, const char *wanted, bool *ret_is_disguised)
{
    bool is_disguised = false;

    if (name.len != strlen(wanted))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        bool is_underscore = name.at[i] == '_' && wanted[i] == '-';

        if (!is_underscore && octets_lower(name.at[i]) != octets_lower(wanted[i]))
            return false;
        is_disguised = is_disguised || is_underscore;
    }
    *ret_is_disguised = is_disguised;
    return true;
}

enum forwarded_field forwarded_field(struct slice name)
{
    bool is_disguised;

    for (int i = 0; i < FORWARDED_FIELDS; i++) {
        if (is_name(name, names[i], &is_disguised))
            return is_disguised ? FORWARDED_DISGUISED : (enum forwarded_field)i;
    }
    return FORWARDED_OTHER;
}

static bool is_empty(const struct forwarded_values *values)
{
    for (size_t i = 0; i < values->n; i++) {
        if (values->at[i].len > 0)
            return false;
    }
    return true;
}

/* Length of the pair in front, name=value; 0: none, or one that is malformed. */
static size_t pair_length(struct slice text)
{
    size_t name = octets_span(text.at, text.len, OCTET_TOKEN);
    struct slice value;
    size_t len;

    if (name == 0 || name == text.len || text.at[name] != '=')
        return 0;
    value = (struct slice){.at = text.at + name + 1, .len = text.len - name - 1};
    len = octets_span(value.at, value.len, OCTET_TOKEN);
    if (len == 0)
        len = octets_quoted(value);
    return len > 0 ? name + 1 + len : 0;
}

/*
 * Whether a value of Forwarded is a list (RFC 7239 section 4), with blanks around
 * its semicolons, which many write.
 */
static bool is_sound(struct slice text)
{
    for (;;) {
        size_t pair;

        text = octets_trim(text);
        pair = pair_length(text);
        text = octets_trim((struct slice){.at = text.at + pair, .len = text.len - pair});
        if (text.len == 0)
            return true;
        if (text.at[0] != ',' && text.at[0] != ';')
            return false;
        text.at++;
        text.len--;
    }
}

static bool are_sound(const struct forwarded_values *values)
{
    for (size_t i = 0; i < values->n; i++) {
        if (values->at[i].len > 0 && !is_sound(values->at[i]))
            return false;
    }
    return true;
}

static void begin_line(struct bytes *out, enum forwarded_field field)
{
    bytes_add_text(out, names[field]);
    bytes_add_text(out, ": ");
}

static void end_line(struct bytes *out)
{
    bytes_add_text(out, "\r\n");
}

/* Add what was sent, as one list; returns whether there was anything. */
static bool add_values(struct bytes *out, const struct forwarded_values *values)
{
    bool is_first = true;

    for (size_t i = 0; i < values->n; i++) {
        if (values->at[i].len == 0)
            continue;
        if (!is_first)
            bytes_add_text(out, ", ");
        bytes_add(out, values->at[i].at, values->at[i].len);
        is_first = false;
    }
    return !is_first;
}

static void add_x_for(struct bytes *out, const struct forwarded_values *sent, const char *address)
{
    if (address[0] == '\0' && is_empty(sent))
        return;
    begin_line(out, FORWARDED_X_FOR);
    if (add_values(out, sent) && address[0] != '\0')
        bytes_add_text(out, ", ");
    bytes_add_text(out, address);
    end_line(out);
}

/* What was sent, or else our own. */
static void add_x(struct bytes *out, enum forwarded_field field,
                  const struct forwarded_values *sent, struct slice own)
{
    if (own.len == 0 && is_empty(sent))
        return;
    begin_line(out, field);
    if (!add_values(out, sent))
        bytes_add(out, own.at, own.len);
    end_line(out);
}

/* Add a token as it is and all else in quotes: ports have a colon, IPv6 has brackets too. */
static void add_parameter(struct bytes *out, const char *name, struct slice value)
{
    bool is_token = octets_span(value.at, value.len, OCTET_TOKEN) == value.len;

    if (value.len == 0)
        return;
    bytes_add_text(out, name);
    if (!is_token)
        bytes_add_text(out, "\"");
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '"' || value.at[i] == '\\')
            bytes_add_text(out, "\\");
        bytes_add(out, value.at + i, 1);
    }
    if (!is_token)
        bytes_add_text(out, "\"");
}

/* RFC 7239 section 6: an IPv6 address is in brackets and thus in quotes. */
static void add_standard(struct bytes *out, const struct forwarded *forwarded,
                         const struct forwarded_values *sent, const char *address)
{
    begin_line(out, FORWARDED_STANDARD);
    if (add_values(out, sent))
        bytes_add_text(out, ", ");
    bytes_add_text(out, "for=");
    if (strchr(address, ':')) {
        bytes_add_text(out, "\"[");
        bytes_add_text(out, address);
        bytes_add_text(out, "]\"");
    } else {
        bytes_add_text(out, address[0] != '\0' ? address : "unknown");
    }
    add_parameter(out, ";host=", forwarded->host);
    bytes_add_text(out, ";proto=");
    bytes_add_text(out, forwarded->proto);
    end_line(out);
}

void forwarded_add_via(struct bytes *out, int minor, const struct forwarded_values *sent)
{
    begin_line(out, FORWARDED_VIA);
    if (add_values(out, sent))
        bytes_add_text(out, ", ");
    bytes_add_text(out, minor == 0 ? "1.0 " FORWARDED_PSEUDONYM : "1.1 " FORWARDED_PSEUDONYM);
    end_line(out);
}

void forwarded_add(struct bytes *out, const struct forwarded *forwarded)
{
    static const struct forwarded_values nothing[FORWARDED_FIELDS];
    const struct forwarded_values *kept = forwarded->is_trusted ? forwarded->sent : nothing;
    const struct forwarded_values *standard = &kept[FORWARDED_STANDARD];
    struct slice proto = {.at = forwarded->proto, .len = strlen(forwarded->proto)};
    bool has_x = !is_empty(&kept[FORWARDED_X_FOR]) || !is_empty(&kept[FORWARDED_X_PROTO]) ||
                 !is_empty(&kept[FORWARDED_X_HOST]);
    bool has_standard = !is_empty(standard) && are_sound(standard);
    char address[INET6_ADDRSTRLEN];

    address_format_host(forwarded->client, address);
    if (has_x || !has_standard) {
        add_x_for(out, &kept[FORWARDED_X_FOR], address);
        add_x(out, FORWARDED_X_PROTO, &kept[FORWARDED_X_PROTO], proto);
        add_x(out, FORWARDED_X_HOST, &kept[FORWARDED_X_HOST], forwarded->host);
    }
    if (has_standard || !has_x)
        add_standard(out, forwarded, has_standard ? standard : &nothing[0], address);
    forwarded_add_via(out, forwarded->minor, &forwarded->sent[FORWARDED_VIA]);
}
