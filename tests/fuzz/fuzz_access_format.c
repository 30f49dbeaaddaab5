/*
 * Any bytes as a format and as what it shows: one line comes out that fits,
 * and JSON is JSON at every length. The input is the format, the target and a
 * header field with NUL between them, and the room is taken from its length.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/access_format.h"

#define N_TEXTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Each header field has the same value. */
static const char *find_header(const void *request, const char *name)
{
    check(strpbrk(name, "_ABCXYZ") == NULL && *name != '\0');
    return request;
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

static size_t render(struct access_format *format, const struct access_entry *entry, size_t size,
                     char **ret_line)
{
    char *line = malloc(size);

    check(line != NULL);
    size_t len = access_format_render(format, entry, line, size);
    check(len > 0 && len <= size && line[len - 1] == '\n');
    check(memchr(line, '\n', len - 1) == NULL && memchr(line, '\x1b', len) == NULL);
    *ret_line = line;
    return len;
}

static void check_format(const char *text, const struct access_entry *entry, size_t size, int json)
{
    char why[ACCESS_FORMAT_WHY_SIZE] = "";
    struct access_format *format;
    char *line;

    if (access_format_compile(text, &format, why) < 0) {
        check(*why != '\0' && strlen(why) < sizeof why);
        return;
    }
    size_t len = render(format, entry, size, &line);
    if (json) {
        json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        check(json_is_object(object));
        json_decref(object);
    }
    free(line);
    access_format_free(format);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t room = ACCESS_LINE_MIN + size * 37 % 1500;
    char *texts[N_TEXTS];

    for (size_t i = 0; i < N_TEXTS; i++)
        texts[i] = take_text(&data, &size);
    struct access_text text = {texts[1], strlen(texts[1])};
    struct access_entry entry = {.time = {1769903999, 999999999},
                                 .remote_addr = {"192.0.2.1", 9},
                                 .method = text,
                                 .request_uri = text,
                                 .path = text,
                                 .protocol = {"HTTP/1.1", 8},
                                 .traceparent = text,
                                 .status = 404,
                                 .duration_us = text.len,
                                 .header = find_header,
                                 .request = texts[2]};
    check_format(texts[0], &entry, room, strcmp(texts[0], "json") == 0);
    check_format("json", &entry, room, 1);
    check_format("combined", &entry, room, 0);
    for (size_t i = 0; i < N_TEXTS; i++)
        free(texts[i]);
    return 0;
}
