/*
 * Servers as people write them, each text once as an URL and once as an
 * endpoint: what is read has one form, which is read as the same again.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Of exactly the room that is needed, for the sanitizer to see who goes beyond. */
static char *join(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(size);

    check(text != NULL);
    strcpy(text, a);
    strcat(text, b);
    strcat(text, c);
    return text;
}

static void check_address(const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE], *copy;
    struct address again;
    const char *why;
    bool is_name;

    address_format(address, text);
    copy = join(text, "", "");
    check(endpoint_parse(copy, &is_name, &again, &why) == 0 && !is_name);
    check(again.len == address->len);
    check(memcmp(&again.storage, &address->storage, again.len) == 0);
    free(copy);
}

/* A letter, at most 253 bytes in labels, a colon and a port. */
static void check_name(const char *text)
{
    const char *colon = strchr(text, ':');
    long port;

    check(colon != NULL && colon > text && colon - text <= 253 && strrchr(text, ':') == colon);
    port = strtol(colon + 1, NULL, 10);
    check(port >= 1 && port <= 65535);
    check(text[strcspn(text, " /?#@[]%\\")] == '\0');
    check(endpoint_same_name(text, text));
}

static void read_endpoint(const char *text)
{
    struct address address;
    const char *why = NULL;
    bool is_name;
    int r = endpoint_parse(text, &is_name, &address, &why);

    if (r < 0)
        check(r == -EINVAL && why != NULL);
    else if (is_name)
        check_name(text);
    else
        check_address(&address);
}

static void check_base(const char *base)
{
    size_t len = strlen(base);

    check(len <= URL_BASE_BYTES_MAX && (len == 0 || base[0] == '/'));
    for (size_t i = 0; i < len; i++)
        check(base[i] > ' ' && base[i] < 0x7f && strchr("?#\"<>\\^`{|}[]", base[i]) == NULL);
    check(strstr(base, "/../") == NULL && strstr(base, "/./") == NULL && !strstr(base, "%00"));
}

static void read_url(const char *text, size_t len)
{
    struct url url, again;
    const char *why = NULL;
    char *form;
    int r = url_parse(text, &url, &why);

    if (r < 0) {
        check(r == -EINVAL && why != NULL);
        return;
    }
    check(url.base > text && url.base <= text + len);
    check_base(url.base);
    read_endpoint(url.host_port);
    form = join("http://", url.host_port, url.base);
    check(url_parse(form, &again, &why) == 0);
    check(strcmp(again.host_port, url.host_port) == 0 && strcmp(again.base, url.base) == 0);
    free(form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    read_url(text, strlen(text));
    read_endpoint(text);
    free(text);
    return 0;
}
