#include "config.h"

#include "base/access_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/access_piece.h"

struct access_format {
    const struct access_piece *pieces;
    size_t n_pieces;
    const char *closing;
    size_t closing_len;
    struct access_dates dates;
    char *texts; /* literals and names of header fields, one after the other */
    struct access_piece own[];
};

static const struct {
    const char *word;
    const char *text;
} words[] = {
    {"common", "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"},
    {"combined", "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
                 "\"$http_referer\" \"$http_user_agent\""},
};

/* A text on its way to pieces. */
struct compiler {
    struct access_format *format;
    const char *text;
    size_t at;      /* in `text` */
    char *literal;  /* where the literal text that precedes the next variable begins */
    char *free;     /* in `texts` */
    bool variables; /* there were some */
    char *why;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct compiler *compiler, size_t at,
                                                        const char *reason, ...)
{
    char text[ACCESS_FORMAT_WHY_SIZE - 32];
    va_list args;
    va_start(args, reason);
    vsnprintf(text, sizeof text, reason, args);
    va_end(args);
    snprintf(compiler->why, ACCESS_FORMAT_WHY_SIZE, "offset %zu: %s", at, text);
    return -EINVAL;
}

static void add_piece(struct compiler *compiler, struct access_piece piece)
{
    compiler->format->own[compiler->format->n_pieces++] = piece;
}

static void end_literal(struct compiler *compiler)
{
    if (compiler->free > compiler->literal)
        add_piece(compiler, access_piece_literal(compiler->literal,
                                                 (size_t)(compiler->free - compiler->literal)));
    compiler->literal = compiler->free;
}

/* "http_user_agent" to "user-agent". */
static void add_header(struct compiler *compiler, const char *name, size_t len)
{
    char *field = compiler->free;
    for (size_t i = 0; i < len; i++)
        field[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
    field[len] = '\0';
    add_piece(compiler, access_piece_header(field));
    compiler->free = compiler->literal = field + len + 1;
}

static int add_variable(struct compiler *compiler, const char *name, size_t len)
{
    static const char http[] = "http_";
    const size_t prefix = sizeof http - 1;
    struct access_piece piece;
    end_literal(compiler);
    compiler->variables = true;
    if (len > prefix && memcmp(name, http, prefix) == 0) {
        add_header(compiler, name + prefix, len - prefix);
        return 0;
    }
    if (!access_piece_variable(name, len, &piece))
        return -EINVAL;
    add_piece(compiler, piece);
    return 0;
}

static size_t name_length(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_')
        len++;
    return len;
}

/* At a '$'. */
static int take_variable(struct compiler *compiler)
{
    size_t start = compiler->at;
    const char *name = compiler->text + start + 1;
    bool braces = *name == '{';
    name += braces;
    size_t len = name_length(name);
    if (len == 0)
        return refuse(compiler, start, "a '$' without a name ('$$' is a dollar)");
    if (braces && name[len] != '}')
        return refuse(compiler, start, "\"${%.*s\" has no '}' after it", (int)(len < 40 ? len : 40),
                      name);
    if (add_variable(compiler, name, len) < 0)
        return refuse(compiler, start, "unknown variable \"$%.*s\"", (int)(len < 40 ? len : 40),
                      name);
    compiler->at = (size_t)(name - compiler->text) + len + braces;
    return 0;
}

static int take_text(struct compiler *compiler)
{
    unsigned char byte = (unsigned char)compiler->text[compiler->at];
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
        return refuse(compiler, compiler->at, "control byte 0x%02x", byte);
    *compiler->free++ = (char)byte;
    compiler->at += byte == '$' ? 2 : 1;
    return 0;
}

static int take_all(struct compiler *compiler)
{
    const char *text = compiler->text;
    while (text[compiler->at] != '\0') {
        bool variable = text[compiler->at] == '$' && text[compiler->at + 1] != '$';
        int r = variable ? take_variable(compiler) : take_text(compiler);
        if (r < 0)
            return r;
    }
    end_literal(compiler);
    if (!compiler->variables)
        return refuse(compiler, 0, "neither a variable nor \"common\", \"combined\" or \"json\"");
    return 0;
}

/* Each '$' makes at most two pieces, itself and the text after it. */
static size_t most_pieces(const char *text)
{
    size_t n = 1;
    for (; *text != '\0'; text++)
        n += *text == '$' ? 2 : 0;
    return n;
}

static struct access_format *new_format(size_t n_pieces, size_t texts_size)
{
    struct access_format *format =
        calloc(1, sizeof *format + n_pieces * sizeof(struct access_piece));
    if (format == NULL)
        return NULL;
    format->pieces = format->own;
    format->closing = "\n";
    format->closing_len = 1;
    format->texts = malloc(texts_size);
    if (format->texts == NULL) {
        free(format);
        return NULL;
    }
    return format;
}

static void become_json(struct access_format *format)
{
    format->pieces = access_piece_json(&format->n_pieces);
    format->closing = "}\n";
    format->closing_len = 2;
}

static const char *text_of(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].text;
    return word;
}

int access_format_compile(const char *text, struct access_format **ret_format,
                          char why[ACCESS_FORMAT_WHY_SIZE])
{
    text = text_of(text);
    struct access_format *format = new_format(most_pieces(text), strlen(text) + 1);
    if (format == NULL) {
        snprintf(why, ACCESS_FORMAT_WHY_SIZE, "out of memory");
        return -ENOMEM;
    }
    struct compiler compiler = {.format = format,
                                .text = text,
                                .literal = format->texts,
                                .free = format->texts,
                                .why = why};
    if (strcmp(text, "json") == 0) {
        become_json(format);
    } else {
        int r = take_all(&compiler);
        if (r < 0) {
            access_format_free(format);
            return r;
        }
    }
    tzset(); /* localtime_r(3) need not, and the file may be out of reach later */
    *ret_format = format;
    return 0;
}

void access_format_free(struct access_format *format)
{
    if (format == NULL)
        return;
    free(format->texts);
    free(format);
}

/* strftime(3) has +0100 for the zone, ISO 8601 has +01:00. */
static void part_zone(char *date)
{
    size_t len = strlen(date);
    if (len < 2)
        return;
    memmove(date + len - 1, date + len - 2, 3);
    date[len - 2] = ':';
}

static void refresh(struct access_dates *dates, time_t second)
{
    struct tm local = {.tm_mday = 1};
    struct tm utc = {.tm_mday = 1};
    if (dates->valid && dates->second == second)
        return;
    localtime_r(&second, &local);
    gmtime_r(&second, &utc);
    strftime(dates->local, sizeof dates->local, "%d/%b/%Y:%H:%M:%S %z", &local);
    strftime(dates->iso8601, sizeof dates->iso8601, "%Y-%m-%dT%H:%M:%S%z", &local);
    strftime(dates->utc, sizeof dates->utc, "%Y-%m-%dT%H:%M:%S", &utc);
    part_zone(dates->iso8601);
    dates->second = second;
    dates->valid = true;
}

size_t access_format_render(struct access_format *format, const struct access_entry *entry,
                            char *buf, size_t size)
{
    if (size < ACCESS_LINE_MIN)
        return 0;
    struct access_line line = {buf, buf + size - format->closing_len, false, entry, &format->dates};
    refresh(&format->dates, entry->time.tv_sec);
    for (size_t i = 0; i < format->n_pieces && !line.full; i++)
        format->pieces[i].put(&line, &format->pieces[i]);
    memcpy(line.at, format->closing, format->closing_len);
    return (size_t)(line.at - buf) + format->closing_len;
}
