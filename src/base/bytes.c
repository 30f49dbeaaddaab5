#include "config.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 256

static bool has_room(struct bytes *bytes, size_t len)
{
    size_t size = bytes->size > 0 ? bytes->size : SIZE_MIN;
    if (bytes->failed)
        return false;
    if (len < bytes->size - bytes->len)
        return true;
    while (size - bytes->len <= len && size <= SIZE_MAX / 2)
        size *= 2;
    char *grown = size - bytes->len > len ? realloc(bytes->at, size) : NULL;
    if (grown == NULL) {
        bytes->failed = true;
        return false;
    }
    bytes->at = grown;
    bytes->size = size;
    return true;
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
    if (!has_room(bytes, len))
        return;
    if (len > 0)
        memcpy(bytes->at + bytes->len, data, len);
    bytes->len += len;
    bytes->at[bytes->len] = '\0';
}

void bytes_add_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void bytes_add_number(struct bytes *bytes, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    bytes_add(bytes, digits + at, sizeof digits - at);
}

void bytes_take(struct bytes *bytes, size_t len)
{
    bytes->len -= len;
    if (bytes->at == NULL)
        return;
    memmove(bytes->at, bytes->at + len, bytes->len);
    bytes->at[bytes->len] = '\0';
}

void bytes_clear(struct bytes *bytes)
{
    bytes->len = 0;
    bytes->failed = false;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){.at = NULL};
}
