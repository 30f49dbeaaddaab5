#include "config.h"

#include "conf/pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"

#define HOST_BYTES_MAX 255

static const char *const methods[PATTERN_N_METHODS] = {"",      "DELETE", "GET", "HEAD", "OPTIONS",
                                                       "PATCH", "POST",   "PUT", "TRACE"};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* pchar of RFC 3986 section 3.3 without '%'. */
static bool is_pchar(char c)
{
    return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=:@");
}

enum pattern_method pattern_method(const char *name, size_t len)
{
    for (int i = PATTERN_ANY_METHOD + 1; i < PATTERN_N_METHODS; i++)
        if (strncmp(methods[i], name, len) == 0 && methods[i][len] == '\0')
            return (enum pattern_method)i;
    return PATTERN_ANY_METHOD;
}

const char *pattern_method_name(enum pattern_method method)
{
    return methods[method];
}

size_t pattern_escape(char *text, size_t len, size_t size, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t escaped_len = len;

    for (size_t i = 0; i < len; i++)
        escaped_len += is_pchar(text[i]) || is_one_of(text[i], keep) ? 0 : 2;
    if (escaped_len >= size)
        return 0;
    text[escaped_len] = '\0';
    for (size_t to = escaped_len; len-- > 0;) {
        unsigned char byte = (unsigned char)text[len];

        if (is_pchar(text[len]) || is_one_of(text[len], keep)) {
            text[--to] = text[len];
        } else {
            text[--to] = digits[byte & 15];
            text[--to] = digits[byte >> 4];
            text[--to] = '%';
        }
    }
    return escaped_len;
}

/*
 * Parsing. Each step returns what is wrong, or NULL. A pattern's texts with
 * their NULs take no more than its own bytes and two: of each segment, the NUL
 * has the room of the slash.
 */
struct parser {
    struct conf_pattern *pattern;
    char *room;
};

static const char *check_ipv6(const char *text, size_t len)
{
    char address[INET6_ADDRSTRLEN] = "";
    struct in6_addr parsed;

    if (len > 2 && len - 2 < sizeof address && text[len - 1] == ']') {
        memcpy(address, text + 1, len - 2);
        if (inet_pton(AF_INET6, address, &parsed) == 1)
            return NULL;
    }
    return "what is in brackets is no IPv6 address, or a port follows, which a pattern cannot have";
}

static const char *check_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (is_one_of(text[i], "{}"))
            return "a host has no wildcards (is a '/' missing?)";
        if (text[i] == ':')
            return "the host of a pattern has no port";
        if (text[i] == '.' && (i == 0 || text[i - 1] == '.'))
            return "a host has something before each dot";
        if (!is_letter(text[i]) && !is_digit(text[i]) && !is_one_of(text[i], "-._~"))
            return "a host is made of letters, digits, '-', '.', '_' and '~'";
    }
    return NULL;
}

static const char *parse_host(struct parser *parser, const char *text, size_t len)
{
    const char *why = text[0] == '[' ? check_ipv6(text, len) : check_name(text, len);

    if (why != NULL)
        return why;
    if (len > HOST_BYTES_MAX)
        return "the host is too long";
    len -= len > 0 && text[len - 1] == '.';
    parser->pattern->host = parser->room;
    parser->pattern->host_len = len;
    for (size_t i = 0; i < len; i++)
        *parser->room++ = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    *parser->room++ = '\0';
    return NULL;
}

/* The segment whose text has been put where there is room. */
static void add_segment(struct parser *parser, enum pattern_kind kind, size_t len)
{
    struct conf_pattern *pattern = parser->pattern;

    pattern->segments[pattern->n_segments++] = (struct pattern_segment){kind, parser->room, len};
    parser->room[len] = '\0';
    parser->room += len + 1;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\0') || c == 0x7f;
}

/* Bytes that a literal has escaped or not at all. */
static const char *check_literal(const char *text, size_t len)
{
    static const struct {
        char set[3];
        const char *why;
    } rows[] = {
        {" ", "a blank in a path is written %20"},
        {"{}", "a wildcard is a whole segment"},
        {"?#", "a pattern has no query and no fragment"},
    };

    for (size_t i = 0; i < len; i++)
        for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
            if (is_one_of(text[i], rows[row].set))
                return rows[row].why;
    return NULL;
}

static const char *parse_literal(struct parser *parser, const char *text, size_t len)
{
    const char *why = check_literal(text, len);
    const char *decoded = parser->room;
    size_t decoded_len;

    if (why != NULL)
        return why;
    if (percent_decode(text, len, false, parser->room, len + 1, &decoded_len) != 0)
        return "a '%' that two hexadecimal digits do not follow, or %00";
    for (size_t i = 0; i < decoded_len; i++)
        if (is_control(decoded[i]))
            return "a control character";
    if (strcmp(decoded, ".") == 0 || strcmp(decoded, "..") == 0)
        return "no request has a segment \".\" or \"..\"";
    add_segment(parser, PATTERN_LITERAL, decoded_len);
    return NULL;
}

static bool is_identifier(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_letter(text[i]) && text[i] != '_' && (i == 0 || !is_digit(text[i])))
            return false;
    return len > 0;
}

static bool has_name(const struct conf_pattern *pattern, const char *name, size_t len)
{
    for (size_t i = 0; i < pattern->n_segments; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];

        if ((segment->kind == PATTERN_WILDCARD || segment->kind == PATTERN_REST) &&
            segment->len == len && memcmp(segment->text, name, len) == 0)
            return true;
    }
    return false;
}

/* What is between the braces; `last` when no segment follows. */
static const char *parse_wildcard(struct parser *parser, const char *text, size_t len, bool last)
{
    bool rest = len >= 3 && memcmp(text + len - 3, "...", 3) == 0;

    if (len == 1 && text[0] == '$') {
        add_segment(parser, PATTERN_END, 0);
        return last ? NULL : "{$} can be at the end only";
    }
    len -= rest ? 3 : 0;
    if (!is_identifier(text, len))
        return "a wildcard's name is made of letters, digits and '_', and begins with no digit";
    if (rest && !last)
        return "a wildcard with \"...\" can be at the end only";
    if (has_name(parser->pattern, text, len))
        return "the same name twice";
    if (parser->pattern->n_names++ == PATTERN_NAMES_MAX)
        return "more than 16 wildcards";
    memcpy(parser->room, text, len);
    add_segment(parser, rest ? PATTERN_REST : PATTERN_WILDCARD, len);
    return NULL;
}

static const char *parse_segment(struct parser *parser, const char *text, size_t len)
{
    bool last = text[len] == '\0';

    if (parser->pattern->n_segments == PATTERN_SEGMENTS_MAX)
        return "more than 32 segments";
    if (len == 0 && !last)
        return "no request has an empty segment";
    if (len == 0)
        add_segment(parser, PATTERN_REST, 0);
    else if (text[0] == '{' && text[len - 1] == '}')
        return parse_wildcard(parser, text + 1, len - 2, last);
    else
        return parse_literal(parser, text, len);
    return NULL;
}

static const char *parse_method(struct parser *parser, const char **text)
{
    size_t len = strcspn(*text, " \t");

    if ((*text)[len] == '\0' || memchr(*text, '/', len) != NULL)
        return NULL;
    parser->pattern->method = pattern_method(*text, len);
    if (parser->pattern->method == PATTERN_ANY_METHOD)
        return "the method is none of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT and TRACE";
    *text += len;
    *text += strspn(*text, " \t");
    return NULL;
}

static const char *parse(struct parser *parser, const char *text)
{
    const char *why = parse_method(parser, &text);
    size_t len = strcspn(text, "/");

    if (why == NULL && text[len] == '\0')
        why = "there is no path, which begins with '/'";
    if (why == NULL)
        why = parse_host(parser, text, len);
    for (text += len; why == NULL && *text != '\0'; text += len) {
        text++;
        len = strcspn(text, "/");
        why = parse_segment(parser, text, len);
        if (text[len] == '\0')
            break;
    }
    return why;
}

int pattern_parse(const char *text, struct conf_pattern **ret, const char **ret_why)
{
    size_t len = strlen(text);
    struct parser parser;
    const char *why;

    if (len > PATTERN_BYTES_MAX) {
        *ret_why = "more than 1024 bytes";
        return -EINVAL;
    }
    parser.pattern = calloc(1, sizeof *parser.pattern + len + 2);
    if (parser.pattern == NULL)
        return -ENOMEM;
    parser.room = parser.pattern->bytes;
    why = parse(&parser, text);
    if (why != NULL) {
        free(parser.pattern);
        *ret_why = why;
        return -EINVAL;
    }
    *ret = parser.pattern;
    return 0;
}

void pattern_free(struct conf_pattern *pattern)
{
    free(pattern);
}

static enum pattern_relation compare_methods(enum pattern_method a, enum pattern_method b)
{
    if (a == b)
        return PATTERN_EQUAL;
    if (a == PATTERN_ANY_METHOD || (a == PATTERN_GET && b == PATTERN_HEAD))
        return PATTERN_MORE_GENERAL;
    if (b == PATTERN_ANY_METHOD || (b == PATTERN_GET && a == PATTERN_HEAD))
        return PATTERN_MORE_SPECIFIC;
    return PATTERN_DISJOINT;
}

static bool same_text(const struct pattern_segment *a, const struct pattern_segment *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static enum pattern_relation compare_segments(const struct pattern_segment *a,
                                              const struct pattern_segment *b)
{
    if (a->kind == b->kind)
        return a->kind != PATTERN_LITERAL || same_text(a, b) ? PATTERN_EQUAL : PATTERN_DISJOINT;
    if (a->kind == PATTERN_REST)
        return PATTERN_MORE_GENERAL;
    if (b->kind == PATTERN_REST)
        return PATTERN_MORE_SPECIFIC;
    if (a->kind == PATTERN_END || b->kind == PATTERN_END)
        return PATTERN_DISJOINT;
    return a->kind == PATTERN_WILDCARD ? PATTERN_MORE_GENERAL : PATTERN_MORE_SPECIFIC;
}

/* What two relations, of two parts of the same patterns, make together. */
static enum pattern_relation combine(enum pattern_relation a, enum pattern_relation b)
{
    if (a == b || b == PATTERN_EQUAL)
        return a;
    if (a == PATTERN_EQUAL)
        return b;
    return a == PATTERN_DISJOINT || b == PATTERN_DISJOINT ? PATTERN_DISJOINT : PATTERN_OVERLAP;
}

static enum pattern_relation compare_paths(const struct conf_pattern *a,
                                           const struct conf_pattern *b)
{
    size_t n = a->n_segments < b->n_segments ? a->n_segments : b->n_segments;
    enum pattern_relation relation = PATTERN_EQUAL;

    for (size_t i = 0; i < n; i++)
        relation = combine(relation, compare_segments(&a->segments[i], &b->segments[i]));
    if (a->n_segments == b->n_segments)
        return relation;
    if (a->n_segments == n && a->segments[n - 1].kind == PATTERN_REST)
        return combine(relation, PATTERN_MORE_GENERAL);
    if (b->n_segments == n && b->segments[n - 1].kind == PATTERN_REST)
        return combine(relation, PATTERN_MORE_SPECIFIC);
    return PATTERN_DISJOINT;
}

enum pattern_relation pattern_compare(const struct conf_pattern *a, const struct conf_pattern *b)
{
    enum pattern_relation relation =
        combine(compare_methods(a->method, b->method), compare_paths(a, b));

    if (relation == PATTERN_DISJOINT || strcmp(a->host, b->host) == 0)
        return relation;
    if (a->host_len > 0 && b->host_len > 0)
        return PATTERN_DISJOINT;
    return a->host_len > 0 ? PATTERN_MORE_SPECIFIC : PATTERN_MORE_GENERAL;
}

bool pattern_conflicts(const struct conf_pattern *a, const struct conf_pattern *b)
{
    enum pattern_relation relation = pattern_compare(a, b);

    return relation == PATTERN_EQUAL || relation == PATTERN_OVERLAP;
}

/* Of the segments at one place of two patterns, the one that says more. */
static const struct pattern_segment *narrower(const struct conf_pattern *a,
                                              const struct conf_pattern *b, size_t i)
{
    if (i >= a->n_segments)
        return &b->segments[i];
    if (i >= b->n_segments)
        return &a->segments[i];
    return compare_segments(&a->segments[i], &b->segments[i]) == PATTERN_MORE_GENERAL
               ? &b->segments[i]
               : &a->segments[i];
}

/* A text that grows until its room is used up. */
struct text {
    char *buf;
    size_t size;
    size_t len;
};

static void put(struct text *text, char c)
{
    if (text->len + 1 < text->size)
        text->buf[text->len++] = c;
    text->buf[text->len] = '\0';
}

static void put_all(struct text *text, const char *what)
{
    while (*what != '\0')
        put(text, *what++);
}

/* What fits the segment; a wildcard's name fits the wildcard. Returns whether there is room. */
static bool put_segment(struct text *text, const struct pattern_segment *segment)
{
    size_t len = segment->kind != PATTERN_REST ? segment->len : 0;
    size_t room, escaped_len;

    put(text, '/');
    room = text->size - text->len;
    if (len >= room)
        return false;
    memcpy(text->buf + text->len, segment->text, len);
    escaped_len = pattern_escape(text->buf + text->len, len, room, "");
    text->len += escaped_len;
    text->buf[text->len] = '\0';
    return escaped_len > 0 || len == 0;
}

void pattern_example(const struct conf_pattern *a, const struct conf_pattern *b, char *buf,
                     size_t size)
{
    enum pattern_method method = a->method > b->method ? a->method : b->method;
    size_t n = a->n_segments > b->n_segments ? a->n_segments : b->n_segments;
    struct text text = {buf, size, 0};

    buf[0] = '\0';
    if (pattern_compare(a, b) == PATTERN_DISJOINT)
        return;
    put_all(&text, methods[method != PATTERN_ANY_METHOD ? method : PATTERN_GET]);
    put(&text, ' ');
    put_all(&text, a->host_len > 0 ? a->host : b->host);
    for (size_t i = 0; i < n && put_segment(&text, narrower(a, b, i)); i++)
        ;
}
