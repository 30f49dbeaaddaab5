#include "config.h"

#include "discovery/advertise.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/registry.h"

/* Addresses that are far from everywhere (RFC 5737, RFC 3849). */
#define ANYWHERE_V4 "192.0.2.1"
#define ANYWHERE_V6 "2001:db8::1"
#define ANY_PORT    9

static bool is_wildcard(const struct address *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
    if (address->storage.ss_family == AF_INET)
        return v4->sin_addr.s_addr == htonl(INADDR_ANY);
    return address->storage.ss_family != AF_INET6 || IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

/* Returns whether it is an address of a family that has hosts. */
static bool write_host(const struct address *address, char host[MEMBER_HOST_SIZE])
{
    address_format_host(address, host);
    return host[0] != '\0';
}

/* Where packets to this address would come from. */
static bool write_source(const char *target, char host[MEMBER_HOST_SIZE])
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    const char *why;
    if (address_join(target, ANY_PORT, text, sizeof text) >= sizeof text ||
        address_parse(text, &address, &why) != 0)
        return false;
    int fd = socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_done = connect(fd, (const struct sockaddr *)&address.storage, address.len) == 0;
    address.len = sizeof address.storage;
    is_done = is_done && getsockname(fd, (struct sockaddr *)&address.storage, &address.len) == 0 &&
              write_host(&address, host);
    close(fd);
    return is_done;
}

void advertise_host(const struct address *listener, const struct registry_url *url,
                    char host[MEMBER_HOST_SIZE])
{
    const char *registry = strcmp(url->host, "localhost") == 0 ? "127.0.0.1" : url->host;
    if (!is_wildcard(listener) && write_host(listener, host))
        return;
    if (write_source(registry, host) || write_source(ANYWHERE_V4, host) ||
        write_source(ANYWHERE_V6, host))
        return;
    snprintf(host, MEMBER_HOST_SIZE, "127.0.0.1");
}
