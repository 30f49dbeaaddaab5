#include "config.h"

#include "conf/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "conf/host_name.h"

#define NAME_BYTES_MAX  253
#define LABEL_BYTES_MAX 63

#define DIGITS "0123456789"

static const char no_port[] = "the port is not a number from 1 to 65535";

static int fail(const char *why, const char **ret_why)
{
    *ret_why = why;
    return -EINVAL;
}

static bool has_good_labels(const char *name)
{
    for (;;) {
        size_t len = strcspn(name, ".");

        if (len == 0 || len > LABEL_BYTES_MAX)
            return false;
        if (name[len] == '\0')
            return true;
        name += len + 1;
    }
}

/* As inet_aton(3) reads numbers, which resolvers may try first. */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;

    if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X'))
        return last[2 + strspn(last + 2, DIGITS "abcdefABCDEF")] == '\0';
    return last[strspn(last, DIGITS)] == '\0';
}

static int parse_name(const char *text, const char **ret_why)
{
    const char *colon = strrchr(text, ':');
    char name[NAME_BYTES_MAX + 1];
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    long port;

    if (colon == NULL)
        return fail("it is not ADDR:PORT, [IPv6]:PORT, unix:/path or NAME:PORT", ret_why);
    if (len > NAME_BYTES_MAX)
        return fail("the name has more than 253 bytes", ret_why);
    memcpy(name, text, len);
    name[len] = '\0';
    if (strchr(name, ':') != NULL)
        return fail("it has more than one colon: an IPv6 address needs brackets, [IPv6]:PORT",
                    ret_why);
    if (!conf_is_host_name(name) || !has_good_labels(name))
        return fail("there is neither an address nor a host name before the port", ret_why);
    if (ends_in_number(name))
        return fail("a number is no host name, and it is not IPv4", ret_why);
    if (number_parse(colon + 1, 1, 65535, &port) < 0)
        return fail(no_port, ret_why);
    return 0;
}

int endpoint_parse(const char *text, bool *ret_is_name, struct address *ret_address,
                   const char **ret_why)
{
    bool is_address = strncmp(text, "unix:", strlen("unix:")) == 0 || text[0] == '[';
    struct address address;
    int rc = address_parse(text, &address, ret_why);

    if (rc == 0 && address_port(&address) == 0)
        return fail(no_port, ret_why);
    if (rc < 0 && is_address)
        return rc;
    if (rc < 0 && parse_name(text, ret_why) < 0)
        return -EINVAL;
    if (rc == 0)
        *ret_address = address;
    *ret_is_name = rc < 0;
    return 0;
}

bool endpoint_same_name(const char *a, const char *b)
{
    size_t len_a = strcspn(a, ":"), len_b = strcspn(b, ":");

    return len_a == len_b && strncasecmp(a, b, len_a) == 0 &&
           strtol(a + len_a + 1, NULL, 10) == strtol(b + len_b + 1, NULL, 10);
}
