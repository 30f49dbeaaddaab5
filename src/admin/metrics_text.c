#include "config.h"

#include "admin/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Room for a time in seconds, which may be infinite. */
#define SECONDS_SIZE 32

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* What is no UTF-8 would make a scraper refuse everything. */
static void add_plain(struct bytes *out, const char *text, size_t len)
{
    while (len > 0) {
        size_t n = utf8_sequence_length(text, len);
        if (n > 0)
            bytes_add(out, text, n);
        else
            bytes_add_text(out, REPLACEMENT);
        n = n > 0 ? n : 1;
        text += n;
        len -= n;
    }
}

/* A backslash, a line break and, in values of labels, a quote would end the text. */
static void add_escaped(struct bytes *out, const char *text, const char *special)
{
    for (;;) {
        size_t plain = strcspn(text, special);
        add_plain(out, text, plain);
        text += plain;
        if (*text == '\0')
            return;
        bytes_add_text(out, *text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\");
        text++;
    }
}

void metrics_family(struct bytes *out, const char *name, enum metrics_kind kind, const char *help)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    bytes_add_text(out, "# HELP ");
    bytes_add_text(out, name);
    bytes_add_text(out, " ");
    add_escaped(out, help, "\\\n");
    bytes_add_text(out, "\n# TYPE ");
    bytes_add_text(out, name);
    bytes_add_text(out, " ");
    bytes_add_text(out, kinds[kind]);
    bytes_add_text(out, "\n");
}

static void add_labels(struct bytes *out, const struct metrics_label *labels)
{
    if (labels == NULL || labels[0].name == NULL)
        return;
    for (size_t i = 0; labels[i].name != NULL; i++) {
        bytes_add_text(out, i == 0 ? "{" : ",");
        bytes_add_text(out, labels[i].name);
        bytes_add_text(out, "=\"");
        add_escaped(out, labels[i].value, "\\\n\"");
        bytes_add_text(out, "\"");
    }
    bytes_add_text(out, "}");
}

/* Microseconds as seconds: "0.0005", "2.5", "10"; exact, and in no locale. */
static void format_seconds(uint64_t us, char buf[SECONDS_SIZE])
{
    int len = snprintf(buf, SECONDS_SIZE, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
    while (buf[len - 1] == '0')
        len--;
    buf[buf[len - 1] == '.' ? len - 1 : len] = '\0';
}

static void add_sample(struct bytes *out, const char *name, const char *suffix,
                       const struct metrics_label *labels, const char *value)
{
    bytes_add_text(out, name);
    bytes_add_text(out, suffix);
    add_labels(out, labels);
    bytes_add_text(out, " ");
    bytes_add_text(out, value);
    bytes_add_text(out, "\n");
}

static void add_count(struct bytes *out, const char *name, const char *suffix,
                      const struct metrics_label *labels, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add_sample(out, name, suffix, labels, text);
}

void metrics_number(struct bytes *out, const char *name, const struct metrics_label *labels,
                    uint64_t value)
{
    add_count(out, name, "", labels, value);
}

void metrics_seconds(struct bytes *out, const char *name, const struct metrics_label *labels,
                     uint64_t value_us)
{
    char text[SECONDS_SIZE];
    format_seconds(value_us, text);
    add_sample(out, name, "", labels, text);
}

void metrics_histogram(struct bytes *out, const char *name,
                       const struct metrics_histogram *histogram)
{
    char text[SECONDS_SIZE];
    const struct metrics_label le[] = {{"le", text}, {NULL, NULL}};
    uint64_t n = 0;
    for (size_t i = 0; i < histogram->n; i++) {
        n += histogram->places[i];
        format_seconds(histogram->bounds_us[i], text);
        add_count(out, name, "_bucket", le, n);
    }
    n += histogram->places[histogram->n];
    snprintf(text, sizeof text, "+Inf");
    add_count(out, name, "_bucket", le, n);
    format_seconds(histogram->sum_us, text);
    add_sample(out, name, "_sum", NULL, text);
    add_count(out, name, "_count", NULL, n);
}
