/*
 * URLs of registries, the first byte chooses the type: what is read is read as the same again from
 * the text that logs have, and no secret is in what people see.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "conf/endpoint.h"
#include "conf/registry_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_secret(const char *text)
{
    if (text != NULL)
        check(text[0] != '\0' && utf8_is_printable(text, strlen(text)));
}

static void check_host(const struct registry_url *url)
{
    char endpoint[2 * ENDPOINT_SIZE];
    struct address address;
    const char *why;
    bool is_name;

    (void)snprintf(endpoint, sizeof(endpoint), strchr(url->host, ':') ? "[%s]:%u" : "%s:%u",
                   url->host, url->port);
    check(url->port >= 1 && url->port <= 65535);
    check(endpoint_parse(endpoint, &is_name, &address, &why) == 0);
}

static void check_path(const char *path)
{
    size_t len = strlen(path);

    check(len == 0 || (path[0] == '/' && path[len - 1] != '/'));
    check(path[strcspn(path, " ?#@")] == '\0' && strstr(path, "//") == NULL);
}

/* Eureka's tail may stand there several times, and goes once. */
static void check_again(const struct registry_url *url, enum conf_registry_type type)
{
    struct registry_url again;
    const char *why;

    check(registry_url_parse(url->text, type, &again, &why) == 0);
    check(again.user == NULL && again.password == NULL && again.is_tls == url->is_tls);
    check(again.port == url->port && strcmp(again.host, url->host) == 0);
    check(type == CONF_REGISTRY_EUREKA || strcmp(again.text, url->text) == 0);
    registry_url_clear(&again);
}

/* All before the last '@' is gone, but for a scheme. */
static void check_mask(const char *text)
{
    char buf[REGISTRY_URL_MASKED_SIZE];
    const char *at = strrchr(text, '@');

    registry_url_mask(text, buf);
    if (strlen(text) <= REGISTRY_URL_BYTES_MAX && at != NULL) {
        const char *mask = strstr(buf, "********@");

        check(mask != NULL && strcmp(strrchr(buf, '@'), at) == 0);
        check(mask == buf || (mask - buf > 3 && strncmp(mask - 3, "://", 3) == 0));
    }
}

static void read_url(const char *text, enum conf_registry_type type)
{
    struct registry_url url;
    const char *why = NULL;
    int rc = registry_url_parse(text, type, &url, &why);

    check_mask(text);
    if (rc < 0) {
        check(rc == -EINVAL && why != NULL);
        return;
    }
    check_secret(url.user);
    check_secret(url.password);
    check_host(&url);
    check_path(url.path);
    check_again(&url, type);
    registry_url_clear(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    check(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    read_url(text, (enum conf_registry_type)(1 + data[0] % (CONF_REGISTRY_TYPES - 1)));
    free(text);
    return 0;
}
