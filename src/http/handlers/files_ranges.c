#include "config.h"

#include "http/handlers/files_ranges.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Decimal digits, without a NUL; returns where they end. */
static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

void files_range_format(const struct range *range, uint64_t size, char buf[FILES_RANGE_SIZE])
{
    char *at = put_number(put_text(buf, "bytes "), range->offset);
    *at++ = '-';
    at = put_number(at, range->offset + range->len - 1);
    *at++ = '/';
    *put_number(at, size) = '\0';
}

void files_range_format_none(uint64_t size, char buf[FILES_RANGE_SIZE])
{
    *put_number(put_text(buf, "bytes */"), size) = '\0';
}

/* Before the kernel has random bytes, right after boot, it can be guessed; it still parts. */
static void make_boundary(char boundary[FILES_BOUNDARY_LEN + 1])
{
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    _Static_assert(sizeof letters == 64 + 1, "each remainder is a letter");
    unsigned char bytes[FILES_BOUNDARY_LEN];
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
        memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        boundary[i] = letters[bytes[i] % 64];
    boundary[FILES_BOUNDARY_LEN] = '\0';
}

void files_multipart_make(struct files_multipart *multipart, const char *type,
                          const struct range *ranges, size_t n, uint64_t size)
{
    char boundary[FILES_BOUNDARY_LEN + 1];
    char *text;
    int len;
    make_boundary(boundary);
    snprintf(multipart->type, sizeof multipart->type, "multipart/byteranges; boundary=%s",
             boundary);
    for (size_t i = 0; i < n; i++) {
        char range[FILES_RANGE_SIZE];
        files_range_format(&ranges[i], size, range);
        text = multipart->texts[i];
        len = snprintf(text, sizeof multipart->texts[i],
                       "%s--%s\r\nContent-Type: %.*s\r\nContent-Range: %s\r\n\r\n",
                       i > 0 ? "\r\n" : "", boundary, FILES_TYPE_MAX, type, range);
        multipart->parts[i] =
            (struct reply_part){text, (size_t)len, ranges[i].offset, ranges[i].len};
    }
    text = multipart->texts[n];
    len = snprintf(text, sizeof multipart->texts[n], "\r\n--%s--\r\n", boundary);
    multipart->parts[n] = (struct reply_part){text, (size_t)len, 0, 0};
    multipart->n = n + 1;
}
