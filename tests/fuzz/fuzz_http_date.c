/*
 * Dates from anybody: one that is read is written in the one form that is read
 * as the same second; and the first eight bytes as a number are written, too.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_date.h"

#define NOW INT64_C(1792000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Write a moment that lies within what can be written, and read it. */
static void write_and_read(int64_t seconds)
{
    char *text = malloc(HTTP_DATE_SIZE);
    int64_t again = -1;

    check(text != NULL);
    http_date_format(seconds, text);
    check(strlen(text) == HTTP_DATE_SIZE - 1);
    check(http_date_parse(text, NOW, &again) == 0 && again == seconds);
    free(text);
}

static void read_and_write(const char *text, int64_t now_s)
{
    int64_t seconds = -1;
    int r = http_date_parse(text, now_s, &seconds);

    check(r == 0 || (r == -EINVAL && seconds == -1));
    if (r != 0)
        return;
    check(seconds >= 0 && seconds <= HTTP_DATE_MAX);
    write_and_read(seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    uint64_t number = 0;
    char any[HTTP_DATE_SIZE];

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < size && i < sizeof(number); i++)
        number = number << 8 | data[i];
    read_and_write(text, NOW);
    read_and_write(text, (int64_t)number);
    http_date_format((int64_t)number, any);
    check(strlen(any) == HTTP_DATE_SIZE - 1);
    write_and_read((int64_t)(number % ((uint64_t)HTTP_DATE_MAX + 1)));
    free(text);
    return 0;
}
