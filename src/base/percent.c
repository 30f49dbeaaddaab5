#include "config.h"

#include "base/percent.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that text begins with, and of how many bytes it is made; 0 of them when it is bad. */
static size_t take_byte(const char *text, size_t len, char *ret_byte)
{
    if (text[0] != '%') {
        *ret_byte = text[0];
        return text[0] != '\0';
    }
    int high = len > 2 ? hex_digit(text[1]) : -1;
    int low = high >= 0 ? hex_digit(text[2]) : -1;
    if (low < 0 || (high == 0 && low == 0))
        return 0;
    *ret_byte = (char)(high << 4 | low);
    return 3;
}

int percent_decode(const char *text, size_t len, bool plus_is_space, char *buf, size_t size,
                   size_t *ret_len)
{
    size_t used = 0;
    for (size_t i = 0, taken; i < len; i += taken) {
        char byte;
        taken = take_byte(text + i, len - i, &byte);
        if (taken == 0)
            return -EINVAL;
        if (plus_is_space && text[i] == '+')
            byte = ' ';
        if (used + 1 >= size)
            return -ENOSPC;
        buf[used++] = byte;
    }
    buf[used] = '\0';
    *ret_len = used;
    return 0;
}

size_t percent_find_bad(const char *text, size_t len)
{
    size_t i = 0;
    for (size_t taken; i < len; i += taken) {
        char byte;
        taken = take_byte(text + i, len - i, &byte);
        if (taken == 0)
            break;
    }
    return i;
}

static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-._~";

void percent_encode(const char *text, struct bytes *bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    while (*text != '\0') {
        size_t plain = strspn(text, unreserved);
        bytes_add(bytes, text, plain);
        text += plain;
        for (; *text != '\0' && strchr(unreserved, *text) == NULL; text++) {
            unsigned char byte = (unsigned char)*text;
            bytes_add(bytes, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        }
    }
}
