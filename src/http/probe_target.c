#include "config.h"

#include "http/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

#define DEFAULT_PORT 80

static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

/* All of it fits, and nothing in it could end a line of the request. */
static int copy(char *to, size_t size, const char *text, size_t len)
{
    if (len >= size)
        return -EINVAL;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return -EINVAL;
    memcpy(to, text, len);
    to[len] = '\0';
    return 0;
}

static int set_uri(struct probe_target *target, const char *uri, const char **ret_why)
{
    if (copy(target->uri, sizeof target->uri, uri[0] != '\0' ? uri : "/",
             uri[0] != '\0' ? strlen(uri) : 1) != 0)
        return refuse(ret_why, "the path has a blank in it, or is too long");
    return 0;
}

static void set_name(struct probe_target *target)
{
    char address[ADDRESS_TEXT_SIZE];
    address_format(&target->addresses[0], address);
    bool is_unix = target->addresses[0].storage.ss_family == AF_UNIX;
    snprintf(target->name, sizeof target->name, "%s%s%s%s", is_unix ? "" : "http://", address,
             is_unix ? ":" : "", target->uri);
}

static int add_address(struct probe_target *target, const char *host, unsigned port,
                       const char **ret_why)
{
    char text[PROBE_HOST_SIZE + 8];
    snprintf(text, sizeof text, "%s:%u", host, port);
    return address_parse(text, &target->addresses[target->n++], ret_why);
}

/* "HOST" and "PORT" of what stands before the path. */
static int split_port(char *authority, unsigned *ret_port, const char **ret_why)
{
    struct address address;
    char text[PROBE_HOST_SIZE + sizeof "127.0.0.1:"];
    char *end = strrchr(authority, ']');
    char *colon = strchr(end != NULL ? end : authority, ':');
    *ret_port = DEFAULT_PORT;
    if (colon == NULL)
        return 0;
    snprintf(text, sizeof text, "127.0.0.1%s", colon);
    if (address_parse(text, &address, ret_why) != 0)
        return -EINVAL;
    *ret_port = (unsigned)address_port(&address);
    *colon = '\0';
    return 0;
}

static int parse_http(const char *rest, struct probe_target *target, const char **ret_why)
{
    char host[PROBE_HOST_SIZE];
    unsigned port;
    size_t len = strcspn(rest, "/?#");
    if (rest[len] == '?' || rest[len] == '#' ||
        copy(target->host, sizeof target->host, rest, len) != 0)
        return refuse(ret_why, "it is not http://HOST:PORT/PATH");
    memcpy(host, target->host, len + 1);
    int err = split_port(host, &port, ret_why);
    if (err != 0)
        return err;
    bool is_local = strcmp(host, "localhost") == 0;
    err = add_address(target, is_local ? "127.0.0.1" : host, port, ret_why);
    if (err == 0 && is_local)
        err = add_address(target, "[::1]", port, ret_why);
    return err == 0 ? set_uri(target, rest + len, ret_why) : err;
}

static int parse_unix(const char *url, struct probe_target *target, const char **ret_why)
{
    char path[ADDRESS_TEXT_SIZE];
    const char *end = strstr(url + strlen("unix:"), ":/");
    size_t len = end != NULL ? (size_t)(end - url) : strlen(url);
    if (copy(path, sizeof path, url, len) != 0)
        return refuse(ret_why, "the path of the socket is too long, or has a blank in it");
    snprintf(target->host, sizeof target->host, "localhost");
    target->n = 1;
    int err = address_parse(path, &target->addresses[0], ret_why);
    return err == 0 ? set_uri(target, end != NULL ? end + 1 : "", ret_why) : err;
}

int probe_target_parse(const char *url, struct probe_target *ret_target, const char **ret_why)
{
    struct probe_target target = {.n = 0};
    int err;
    if (strncmp(url, "unix:", 5) == 0)
        err = parse_unix(url, &target, ret_why);
    else if (strncmp(url, "http://", 7) == 0)
        err = parse_http(url + 7, &target, ret_why);
    else
        err = refuse(ret_why, "it begins neither with http:// nor with unix:");
    if (err != 0)
        return err;
    set_name(&target);
    *ret_target = target;
    return 0;
}

/* Who listens on all addresses is there by loopback, too. */
static void make_reachable(struct address *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->storage;
    if (address->storage.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
}

/* A name that is answered: the first of those that are, or else the address. */
static void set_host(struct probe_target *target, const struct conf_list *hosts)
{
    char address[ADDRESS_TEXT_SIZE] = "localhost";
    if (target->addresses[0].storage.ss_family != AF_UNIX)
        address_format(&target->addresses[0], address);
    snprintf(target->host, sizeof target->host, "%s", hosts->n > 0 ? hosts->items[0] : address);
}

int probe_target_default(const struct conf *conf, struct probe_target *ret_target,
                         const char **ret_why)
{
    struct probe_target target = {.n = 1};
    struct conf_listen admin;
    bool has_admin = conf_admin_listen(conf, &admin);
    if (!has_admin && conf->n_listens == 0)
        return refuse(ret_why, "the configuration has no listener");
    target.addresses[0] = has_admin ? admin.address : conf->listens[0].address;
    if (address_port(&target.addresses[0]) == 0)
        return refuse(ret_why, "the configuration leaves the port to the system");
    make_reachable(&target.addresses[0]);
    set_host(&target, has_admin ? &conf->admin.hosts : &conf->http.hosts);
    snprintf(target.uri, sizeof target.uri, "%s", has_admin ? "/readyz" : "/healthcheck");
    set_name(&target);
    *ret_target = target;
    return 0;
}
