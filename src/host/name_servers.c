#include "config.h"

#include "host/name_servers.h"

#include <stddef.h>
#include <sys/socket.h>

#include <event2/dns.h>

#include "base/log.h"

/* What libevent has to say of name servers is for those who look for an error in them. */
static void on_dns_log(int is_warning, const char *text)
{
    (void)is_warning;
    log_debug("resolver: %s", text);
}

/* libevent has them in a ring, each new one right behind the first: of four 1, 4, 3, 2. */
static int place_in_ring(unsigned turn, unsigned n)
{
    return (int)((n - turn % n) % n);
}

/* libevent would ask them by turns. But the first may know names that the next does not: those
 * of other containers, for one. */
static void keep_one(struct evdns_base *dns, unsigned turn)
{
    struct sockaddr_storage address;
    int n = evdns_base_count_nameservers(dns);
    if (n < 2)
        return;
    int len = evdns_base_get_nameserver_addr(dns, place_in_ring(turn, (unsigned)n),
                                             (struct sockaddr *)&address, sizeof address);
    if (len <= 0)
        return;
    evdns_base_clear_nameservers_and_suspend(dns);
    evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&address, (ev_socklen_t)len, 0);
    evdns_base_resume(dns);
}

struct evdns_base *name_servers_new(struct event_base *base, const char *resolv_conf, unsigned turn)
{
    int options = DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC;
    struct evdns_base *dns = evdns_base_new(base, 0);
    if (dns == NULL)
        return NULL;
    evdns_set_log_fn(on_dns_log);
    /* No eTcD for etcd, by which answers of others are told: not every server looks past it. */
    evdns_base_set_option(dns, "randomize-case:", "0");
    if (evdns_base_resolv_conf_parse(dns, options, resolv_conf) != 0)
        log_warning("%s cannot be used, asking 127.0.0.1 for names", resolv_conf);
    keep_one(dns, turn);
    if (evdns_base_count_nameservers(dns) == 0)
        evdns_base_nameserver_ip_add(dns, "127.0.0.1");
    return dns;
}
