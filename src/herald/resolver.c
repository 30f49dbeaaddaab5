#include "config.h"

#include "herald/resolver.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <event2/dns.h>
#include <event2/event.h>

#include "base/clock.h"
#include "herald/hosts.h"
#include "host/name_servers.h"

/* As much of /etc/hosts as is read. */
#define HOSTS_BYTES 1048576

/* The longest name, in the form of RFC 1035 section 2.3.4 without its final dot. */
#define NAME_SIZE 254

enum { FAMILY_V4, FAMILY_V6, FAMILIES };

struct lookup {
    struct resolver *resolver;
    LIST_ENTRY(lookup) entry;
    struct event *end; /* when the answer is there already, or is waited for no longer */
    bool is_over;      /* `done` was called, and some question is still under way */
    unsigned pending;  /* questions without an answer */
    struct evdns_request *questions[FAMILIES]; /* NULL: answered, or not asked */
    int results[FAMILIES];                     /* DNS_ERR_... */
    struct address addresses[RESOLVER_ADDRESSES];
    size_t n;
    int64_t ttl_s;
    resolver_done *done;
    void *arg;
};

struct resolver {
    struct resolver_settings settings;
    struct evdns_base *dns; /* NULL: to be made */
    unsigned turn;          /* of the name servers: stays with one that answers, for a while */
    int64_t detour_end_ms;  /* when the first is asked again */
    unsigned seen_turn;     /* when dns was made */
    struct stat seen;       /* the file of name servers as it was then */
    LIST_HEAD(lookups, lookup) lookups;
};

static int compare(const void *left, const void *right)
{
    const struct address *a = left, *b = right;
    if (a->storage.ss_family != b->storage.ss_family)
        return a->storage.ss_family == AF_INET ? -1 : 1;
    if (a->storage.ss_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)a)->sin_addr,
                      &((const struct sockaddr_in *)b)->sin_addr, sizeof(struct in_addr));
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr));
}

/* In an order that does not change from answer to answer, each one once. */
static void put_in_order(struct lookup *lookup)
{
    size_t n = 0;
    qsort(lookup->addresses, lookup->n, sizeof *lookup->addresses, compare);
    for (size_t i = 0; i < lookup->n; i++)
        if (n == 0 || compare(&lookup->addresses[n - 1], &lookup->addresses[i]) != 0)
            lookup->addresses[n++] = lookup->addresses[i];
    lookup->n = n;
}

/* Whether a result says that there are none, as opposed to that nobody knows. */
static bool is_final(int result)
{
    return result == DNS_ERR_NONE || result == DNS_ERR_NODATA || result == DNS_ERR_NOTEXIST;
}

static const char *explain(const struct lookup *lookup)
{
    int v4 = lookup->results[FAMILY_V4], v6 = lookup->results[FAMILY_V6];
    int result = is_final(v4) ? v6 : v4;
    if (lookup->n > 0)
        return NULL;
    return is_final(result) ? "it has no address" : evdns_err_to_string(result);
}

static int missing_family(const struct lookup *lookup)
{
    if (lookup->n == 0)
        return 0;
    if (!is_final(lookup->results[FAMILY_V4]))
        return AF_INET;
    return is_final(lookup->results[FAMILY_V6]) ? 0 : AF_INET6;
}

static void lookup_free(struct lookup *lookup)
{
    LIST_REMOVE(lookup, entry);
    if (lookup->end != NULL)
        event_free(lookup->end);
    free(lookup);
}

/* Take back what is not answered. Each question's callback comes soon, and the lookup stays until
 * then. */
static void finish(struct lookup *lookup)
{
    lookup->is_over = true;
    for (int i = 0; i < FAMILIES; i++)
        if (lookup->questions[i] != NULL)
            evdns_cancel_request(lookup->resolver->dns, lookup->questions[i]);
}

/* Without an answer the next one is asked; after one that there are none, the first again. */
static void choose_server(struct lookup *lookup)
{
    struct resolver *resolver = lookup->resolver;
    if (lookup->n > 0 || resolver->seen_turn != resolver->turn)
        return;
    bool is_answer = is_final(lookup->results[FAMILY_V4]) || is_final(lookup->results[FAMILY_V6]);
    if (resolver->turn == 0)
        resolver->detour_end_ms = clock_now_ms() + resolver->settings.detour_ms;
    resolver->turn = is_answer ? 0 : resolver->turn + 1;
}

/* Finished before `done` is called, which may begin lookups that have new servers. */
static void conclude(struct lookup *lookup)
{
    finish(lookup);
    choose_server(lookup);
    put_in_order(lookup);
    const struct resolver_answer answer = {.error = explain(lookup),
                                           .addresses = lookup->addresses,
                                           .n = lookup->n,
                                           .ttl_s = lookup->ttl_s,
                                           .missing = missing_family(lookup)};
    lookup->done(&answer, lookup->arg);
    if (lookup->pending == 0)
        lookup_free(lookup);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conclude(arg);
}

/* Conclude from the loop, in so many milliseconds. */
static int end_in(struct lookup *lookup, long wait_ms)
{
    const struct resolver_settings *settings = &lookup->resolver->settings;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    lookup->end = event_new(settings->base, -1, 0, on_end, lookup);
    return lookup->end != NULL && event_add(lookup->end, &wait) == 0 ? 0 : -ENOMEM;
}

static void add_address(struct lookup *lookup, char type, const uint8_t *bytes, int i)
{
    struct address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;
    if (lookup->n == RESOLVER_ADDRESSES)
        return;
    if (type == DNS_IPv4_A) {
        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, bytes + (size_t)i * sizeof v4->sin_addr, sizeof v4->sin_addr);
    } else {
        v6->sin6_family = AF_INET6;
        address.len = sizeof *v6;
        memcpy(&v6->sin6_addr, bytes + (size_t)i * sizeof v6->sin6_addr, sizeof v6->sin6_addr);
    }
    lookup->addresses[lookup->n++] = address;
}

static void take(struct lookup *lookup, int family, char type, int result, int count, int ttl,
                 const void *addresses)
{
    lookup->pending--;
    lookup->questions[family] = NULL;
    if (lookup->is_over) {
        if (lookup->pending == 0)
            lookup_free(lookup);
        return;
    }
    lookup->results[family] = result;
    for (int i = 0; result == DNS_ERR_NONE && i < count; i++)
        add_address(lookup, type, addresses, i);
    if (result == DNS_ERR_NONE && count > 0 && ttl < lookup->ttl_s)
        lookup->ttl_s = ttl;
    if (lookup->pending == 0 ||
        (lookup->n > 0 && end_in(lookup, lookup->resolver->settings.patience_ms) != 0))
        conclude(lookup);
}

static void on_v4(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    take(arg, FAMILY_V4, type, result, count, ttl, addresses);
}

static void on_v6(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    take(arg, FAMILY_V6, type, result, count, ttl, addresses);
}

static bool is_busy(const struct resolver *resolver)
{
    const struct lookup *lookup = LIST_FIRST(&resolver->lookups);
    while (lookup != NULL && lookup->is_over)
        lookup = LIST_NEXT(lookup, entry);
    return lookup != NULL;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As the file says now, unless lookups run that rely on what it said before. The questions of
 * those that are over end with the old servers, each with a callback. */
static int refresh_servers(struct resolver *resolver)
{
    struct stat now = {.st_ino = 0};
    if (stat(resolver->settings.resolv_conf, &now) != 0)
        now = (struct stat){.st_ino = 0};
    bool is_same = is_same_file(&now, &resolver->seen);
    if (!is_same || clock_now_ms() >= resolver->detour_end_ms)
        resolver->turn = 0;
    if (resolver->dns != NULL &&
        (is_busy(resolver) || (is_same && resolver->turn == resolver->seen_turn)))
        return 0;
    struct evdns_base *dns =
        name_servers_new(resolver->settings.base, resolver->settings.resolv_conf, resolver->turn);
    if (dns == NULL)
        return -ENOMEM;
    if (resolver->dns != NULL)
        evdns_base_free(resolver->dns, 1);
    resolver->dns = dns;
    resolver->seen = now;
    resolver->seen_turn = resolver->turn;
    return 0;
}

int resolver_new(const struct resolver_settings *settings, struct resolver **ret_resolver)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return -ENOMEM;
    resolver->settings = *settings;
    LIST_INIT(&resolver->lookups);
    *ret_resolver = resolver;
    return 0;
}

/* Whether the file of hosts has the name. */
static bool find_here(struct lookup *lookup, const char *name)
{
    size_t len;
    char *text = hosts_read(lookup->resolver->settings.hosts, HOSTS_BYTES, &len);
    if (text == NULL)
        return false;
    lookup->n = hosts_find(text, len, name, 0, lookup->addresses, RESOLVER_ADDRESSES);
    lookup->ttl_s = RESOLVER_HOSTS_TTL_S;
    free(text);
    return lookup->n > 0;
}

/* A name with a final dot is whole: no domain of resolv.conf is searched for it. */
static int ask(struct lookup *lookup, const char *name, bool is_whole)
{
    struct evdns_base *dns;
    int flags = is_whole ? DNS_QUERY_NO_SEARCH : 0;
    int err = refresh_servers(lookup->resolver);
    if (err != 0)
        return err;
    dns = lookup->resolver->dns;
    lookup->ttl_s = INT32_MAX;
    lookup->results[FAMILY_V4] = lookup->results[FAMILY_V6] = DNS_ERR_TIMEOUT;
    lookup->pending = FAMILIES;
    lookup->questions[FAMILY_V4] = evdns_base_resolve_ipv4(dns, name, flags, on_v4, lookup);
    lookup->questions[FAMILY_V6] = evdns_base_resolve_ipv6(dns, name, flags, on_v6, lookup);
    if (lookup->questions[FAMILY_V4] == NULL) {
        lookup->pending--;
        lookup->results[FAMILY_V4] = DNS_ERR_FORMAT;
    }
    if (lookup->questions[FAMILY_V6] == NULL) {
        lookup->pending--;
        lookup->results[FAMILY_V6] = DNS_ERR_FORMAT;
    }
    return lookup->pending > 0 ? 0 : end_in(lookup, 0);
}

static int begin(struct lookup *lookup, const char *name)
{
    char copy[NAME_SIZE];
    size_t len = strlen(name);
    bool is_whole = len > 0 && name[len - 1] == '.';
    len -= is_whole;
    if (len == 0 || len >= sizeof copy)
        return -EINVAL;
    memcpy(copy, name, len);
    copy[len] = '\0';
    return find_here(lookup, copy) ? end_in(lookup, 0) : ask(lookup, copy, is_whole);
}

int resolver_look_up(struct resolver *resolver, const char *name, resolver_done *done, void *arg,
                     struct lookup **ret_lookup)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return -ENOMEM;
    lookup->resolver = resolver;
    lookup->done = done;
    lookup->arg = arg;
    int err = begin(lookup, name);
    if (err != 0) {
        if (lookup->end != NULL)
            event_free(lookup->end);
        free(lookup);
        return err;
    }
    LIST_INSERT_HEAD(&resolver->lookups, lookup, entry);
    *ret_lookup = lookup;
    return 0;
}

void resolver_cancel(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    finish(lookup);
    if (lookup->end != NULL)
        event_del(lookup->end);
    if (lookup->pending == 0)
        lookup_free(lookup);
}

void resolver_free(struct resolver *resolver)
{
    struct lookup *lookup, *next;
    if (resolver == NULL)
        return;
    if (resolver->dns != NULL)
        evdns_base_free(resolver->dns, 0);
    for (lookup = LIST_FIRST(&resolver->lookups); lookup != NULL; lookup = next) {
        next = LIST_NEXT(lookup, entry);
        lookup_free(lookup);
    }
    free(resolver);
}
