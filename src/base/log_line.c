#include "config.h"

#include "base/log_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Kept free at the end of the buffer for the mark of a cut line and its closing. */
static const char cut_text[] = "...\n";
static const char cut_json[] = "...\"}\n";
#define CLOSING_SIZE (sizeof cut_json - 1)

/* A line in the making: all or nothing of each piece goes in, until one does not fit. */
struct line {
    char *buf;
    size_t used;
    bool full;
};

static void put_bytes(struct line *line, const char *bytes, size_t n)
{
    if (line->full || n > LOG_LINE_SIZE - CLOSING_SIZE - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->buf + line->used, bytes, n);
    line->used += n;
}

static void put(struct line *line, const char *text)
{
    put_bytes(line, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_format(struct line *line, const char *format,
                                                             ...)
{
    char piece[128];
    va_list args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    put(line, piece);
}

/* Where a text stands decides what of it must be escaped. */
enum place { IN_PROSE, IN_QUOTES, IN_JSON };

static bool is_plain(enum place place, unsigned char byte)
{
    if (byte == '"')
        return place == IN_PROSE;
    return byte >= 0x20 && byte != 0x7f && byte != '\\';
}

/* C1 controls (U+0080 to U+009F) steer terminals too; in UTF-8 they begin with C2. */
static bool is_c1_control(const char *text, size_t length)
{
    return length == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0;
}

static void put_odd_byte(struct line *line, enum place place, unsigned char byte)
{
    if (byte == '\n')
        put(line, "\\n");
    else if (byte == '\\')
        put(line, "\\\\");
    else if (byte == '"')
        put(line, "\\\"");
    else if (place != IN_JSON)
        put_format(line, "\\x%02x", byte);
    else if (byte < 0x80)
        put_format(line, "\\u%04x", byte);
    else
        put(line, "\\ufffd");
}

static void put_escaped(struct line *line, enum place place, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = utf8_sequence_length(text, left);
        bool printable = length > 1 ? !is_c1_control(text, length)
                                    : length == 1 && is_plain(place, (unsigned char)*text);
        if (printable) {
            put_bytes(line, text, length);
        } else {
            length = 1;
            put_odd_byte(line, place, (unsigned char)*text);
        }
        text += length;
        left -= length;
    }
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text != '\0'; text++)
        if (!is_plain(IN_QUOTES, (unsigned char)*text) || *text == ' ' || *text == '=')
            return true;
    return false;
}

static void put_text_field(struct line *line, const struct log_field *field)
{
    put_format(line, " %s=", field->key);
    if (field->text == NULL) {
        put_format(line, "%" PRId64, field->number);
        return;
    }
    const char *quote = needs_quotes(field->text) ? "\"" : "";
    put(line, quote);
    put_escaped(line, IN_QUOTES, field->text);
    put(line, quote);
}

static void put_json_text(struct line *line, const char *key, const char *text)
{
    put_format(line, ",\"%s\":\"", key);
    put_escaped(line, IN_JSON, text);
    put(line, "\"");
}

static void put_json_field(struct line *line, const struct log_field *field)
{
    if (field->text == NULL)
        put_format(line, ",\"%s\":%" PRId64, field->key, field->number);
    else
        put_json_text(line, field->key, field->text);
}

static size_t close_line(struct line *line, const char *closing)
{
    size_t n = strlen(closing);
    memcpy(line->buf + line->used, closing, n);
    return line->used + n;
}

static size_t render_text(struct line *line, const struct log_record *record, const char *time)
{
    put_format(line, "%s %s %s", time, log_level_name(record->level), record->role);
    if (record->id != 0)
        put_format(line, " %" PRIu64, record->id);
    put(line, ": ");
    put_escaped(line, IN_PROSE, record->message);
    for (size_t i = 0; i < record->n_fields; i++)
        put_text_field(line, &record->fields[i]);
    return close_line(line, line->full ? cut_text : "\n");
}

/*
 * A cut may fall behind a key as well as inside a text, so a JSON line that
 * does not fit is made again without its fields and with its message cut.
 */
static size_t render_json(struct line *line, const struct log_record *record, const char *time)
{
    put_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\"", time,
               log_level_name(record->level), record->role);
    if (record->id != 0)
        put_format(line, ",\"id\":%" PRIu64, record->id);
    size_t head = line->used;
    put_json_text(line, "message", record->message);
    for (size_t i = 0; i < record->n_fields; i++)
        put_json_field(line, &record->fields[i]);
    if (!line->full)
        return close_line(line, "}\n");
    *line = (struct line){line->buf, head, false};
    put(line, ",\"message\":\"");
    put_escaped(line, IN_JSON, record->message);
    return close_line(line, cut_json);
}

size_t log_line_render(enum log_format format, const struct log_record *record,
                       char buf[LOG_LINE_SIZE])
{
    char time[CLOCK_ISO8601_SIZE];
    struct line line = {buf, 0, false};
    clock_format_iso8601(&record->time, time);
    if (format == LOG_FORMAT_JSON)
        return render_json(&line, record, time);
    return render_text(&line, record, time);
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return names[level];
}

int log_level_find(const char *name, enum log_level *ret_level)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strcmp(log_level_name((enum log_level)level), name) == 0) {
            *ret_level = (enum log_level)level;
            return 0;
        }
    return -EINVAL;
}
