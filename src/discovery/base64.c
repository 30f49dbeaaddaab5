#include "config.h"

#include "discovery/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
    const unsigned char *from = data;
    char *text = malloc((len / 3 + 1) * 4 + 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    for (size_t i = 0; i < len; i += 3) {
        size_t rest = len - i;
        uint32_t group = (uint32_t)from[i] << 16;
        if (rest > 1)
            group |= (uint32_t)from[i + 1] << 8;
        if (rest > 2)
            group |= from[i + 2];
        *to++ = alphabet[group >> 18];
        *to++ = alphabet[group >> 12 & 63];
        *to++ = rest > 1 ? alphabet[group >> 6 & 63] : '=';
        *to++ = rest > 2 ? alphabet[group & 63] : '=';
    }
    *to = '\0';
    return text;
}

/* The six bits of a character; -1: it has none. */
static int value_of(char c)
{
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    return found == NULL ? -1 : (int)(found - alphabet);
}

/* Four characters, `used` of which are no padding, into used - 1 bytes. */
static int decode_group(const char *text, size_t used, char *to)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < used ? value_of(text[i]) : 0;
        if (value < 0)
            return -EINVAL;
        group = group << 6 | (uint32_t)value;
    }
    if ((group & (UINT32_C(0xffffff) >> 8 * (used - 1))) != 0)
        return -EINVAL;
    for (size_t i = 0; i + 1 < used; i++)
        to[i] = (char)(group >> (16 - 8 * i));
    return 0;
}

int base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len)
{
    if (len % 4 != 0)
        return -EINVAL;
    size_t padding = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    char *data = malloc(len / 4 * 3 + 1);
    if (data == NULL)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < len; i += 4) {
        size_t used = i + 4 == len ? 4 - padding : 4;
        if (decode_group(text + i, used, data + n) < 0) {
            free(data);
            return -EINVAL;
        }
        n += used - 1;
    }
    data[n] = '\0';
    *ret_data = data;
    *ret_len = n;
    return 0;
}
