/*
 * Any bytes as a log's message and fields: one line of printable UTF-8 comes
 * out, and JSON gives back what went in. The input is the message, the text of
 * one field and that of another, with NUL between them.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log_line.h"
#include "base/utf8.h"

#define N_TEXTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Whether all of it is UTF-8, without control characters if those are unwanted. */
static bool is_clean(const char *text, size_t len, bool controls)
{
    while (len > 0) {
        size_t n = utf8_sequence_length(text, len);
        unsigned char first = (unsigned char)text[0];

        if (n == 0 || (n == 1 && !controls && (first < 0x20 || first == 0x7f)) ||
            (n == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0))
            return false;
        text += n;
        len -= n;
    }
    return true;
}

static char *render(enum log_format format, const struct log_record *record, size_t *ret_len)
{
    char *line = malloc(LOG_LINE_SIZE);

    check(line != NULL);
    *ret_len = log_line_render(format, record, line);
    check(*ret_len > 0 && *ret_len <= LOG_LINE_SIZE);
    check(line[*ret_len - 1] == '\n' && is_clean(line, *ret_len - 1, false));
    return line;
}

static void check_value(const json_t *object, const char *key, const char *expected)
{
    const char *value = json_string_value(json_object_get(object, key));

    check(value != NULL);
    check(!is_clean(expected, strlen(expected), true) || strcmp(value, expected) == 0);
}

static void check_json(const struct log_record *record)
{
    size_t len;
    char *line = render(LOG_FORMAT_JSON, record, &len);
    json_t *object = json_loadb(line, len - 1, JSON_REJECT_DUPLICATES, NULL);

    check(json_is_object(object));
    if (json_object_get(object, "number") != NULL) { /* else it was cut */
        check_value(object, "message", record->message);
        check_value(object, "first", record->fields[0].text);
        check_value(object, "second", record->fields[1].text);
    }
    json_decref(object);
    free(line);
}

/* Cut the next text off the input, allocated to its size. */
static char *take_text(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size > 0 ? memchr(*data, '\0', *size) : NULL;
    size_t len = end != NULL ? (size_t)(end - *data) : *size;
    char *text = malloc(len + 1);

    check(text != NULL);
    if (len > 0)
        memcpy(text, *data, len);
    text[len] = '\0';
    *data += len + (end != NULL);
    *size -= len + (end != NULL);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *texts[N_TEXTS];
    size_t len;

    for (size_t i = 0; i < N_TEXTS; i++)
        texts[i] = take_text(&data, &size);
    struct log_field fields[] = {LOG_TEXT("first", texts[1]), LOG_TEXT("second", texts[2]),
                                 LOG_NUMBER("number", INT64_MIN)};
    struct log_record record = {.time = {1767225599, 999999999},
                                .level = LOG_LEVEL_WARNING,
                                .role = "worker",
                                .id = INT64_MAX,
                                .message = texts[0],
                                .fields = fields,
                                .n_fields = N_TEXTS};
    free(render(LOG_FORMAT_TEXT, &record, &len));
    check_json(&record);
    for (size_t i = 0; i < N_TEXTS; i++)
        free(texts[i]);
    return 0;
}
