#include "config.h"

#include "http/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/*
 * Decode len bytes of text into out, which may be text itself or else has
 * room for size bytes; ends out with NUL.
 */
static int decode(const char *text, size_t len, bool plus_is_space, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        char byte = text[i];
        if (byte == '+' && plus_is_space) {
            byte = ' ';
        } else if (byte == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (used + 1 >= size)
            return -ENOSPC;
        out[used++] = byte;
    }
    out[used] = '\0';
    return 0;
}

/* Where the path of an absolute-form target begins; NULL when it is no http target with a host. */
static const char *skip_origin(const char *text)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(text, schemes[i], len) != 0)
            continue;
        size_t host = strcspn(text + len, "/?#");
        return host > 0 && text[len] != ':' ? text + len + host : NULL;
    }
    return NULL;
}

int target_parse(const char *text, struct target *ret_target)
{
    const char *path = text[0] == '/' ? text : skip_origin(text);
    if (path == NULL)
        return -EINVAL;
    size_t len = strcspn(path, "?#");
    const char *query = path[len] == '?' ? path + len + 1 : "";
    size_t query_len = strcspn(query, "#");
    char *block = malloc(len + query_len + 3);
    if (block == NULL)
        return -ENOMEM;
    int err = decode(len > 0 ? path : "/", len > 0 ? len : 1, false, block, len + 2);
    if (err != 0) {
        free(block);
        return err;
    }
    *ret_target = (struct target){.path = block, .query = block + len + 2};
    memcpy(ret_target->query, query, query_len);
    ret_target->query[query_len] = '\0';
    return 0;
}

void target_clear(struct target *target)
{
    free(target->path);
    target->path = NULL;
    target->query = NULL;
}

int target_query_value(const char *query, const char *key, char *buf, size_t size)
{
    size_t key_len = strlen(key);
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len >= key_len && strncmp(query, key, key_len) == 0) {
            if (len == key_len)
                return decode("", 0, true, buf, size);
            if (query[key_len] == '=')
                return decode(query + key_len + 1, len - key_len - 1, true, buf, size);
        }
        query += len + (query[len] == '&');
    }
    return -ENOENT;
}
