#include "config.h"

#include "http/crowd.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/address.h"
#include "base/hash.h"

#define BUCKETS 1024

struct client {
    SLIST_ENTRY(client) next;
    struct in6_addr address;
    size_t n;
};

SLIST_HEAD(client_list, client);

struct crowd {
    struct client_list buckets[BUCKETS];
};

struct crowd *crowd_new(void)
{
    return calloc(1, sizeof(struct crowd));
}

/* IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2); of IPv6 the network, a /64. */
static bool read_address(const struct address *address, struct in6_addr *ret)
{
    const struct sockaddr_storage *storage = &address->storage;
    if (storage->ss_family == AF_INET6) {
        *ret = ((const struct sockaddr_in6 *)storage)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(ret))
            memset(ret->s6_addr + 8, 0, 8);
        return true;
    }
    if (storage->ss_family != AF_INET)
        return false;
    memset(ret, 0, sizeof *ret);
    memset(ret->s6_addr + 10, 0xff, 2);
    memcpy(ret->s6_addr + 12, &((const struct sockaddr_in *)storage)->sin_addr, 4);
    return true;
}

/* A client that makes its addresses collide has many of them anyway. */
static struct client_list *bucket_of(struct crowd *crowd, const struct in6_addr *address)
{
    uint64_t hash = hash_bytes(HASH_BEGIN, address->s6_addr, sizeof address->s6_addr);
    return &crowd->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static struct client *find(struct client_list *bucket, const struct in6_addr *address)
{
    struct client *client;
    SLIST_FOREACH (client, bucket, next)
        if (memcmp(&client->address, address, sizeof *address) == 0)
            break;
    return client;
}

int crowd_enter(struct crowd *crowd, const struct address *address, size_t most)
{
    struct in6_addr key;
    if (!read_address(address, &key))
        return -ENOENT;
    struct client_list *bucket = bucket_of(crowd, &key);
    struct client *client = find(bucket, &key);
    if (most == 0 || (client != NULL && client->n >= most))
        return -EBUSY;
    if (client == NULL) {
        client = calloc(1, sizeof *client);
        if (client == NULL)
            return -ENOMEM;
        client->address = key;
        SLIST_INSERT_HEAD(bucket, client, next);
    }
    client->n++;
    return 0;
}

void crowd_leave(struct crowd *crowd, const struct address *address)
{
    struct in6_addr key;
    if (!read_address(address, &key))
        return;
    struct client_list *bucket = bucket_of(crowd, &key);
    struct client *client = find(bucket, &key);
    if (client == NULL || --client->n > 0)
        return;
    SLIST_REMOVE(bucket, client, client, next);
    free(client);
}

void crowd_free(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct client *client;
        while ((client = SLIST_FIRST(&crowd->buckets[i])) != NULL) {
            SLIST_REMOVE_HEAD(&crowd->buckets[i], next);
            free(client);
        }
    }
    free(crowd);
}
