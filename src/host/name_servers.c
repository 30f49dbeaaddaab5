#include "config.h"

#include "host/name_servers.h"

#include <stddef.h>

#include <event2/dns.h>

#include "base/log.h"

/* What libevent has to say of name servers is for those who look for an error in them. */
static void on_dns_log(int is_warning, const char *text)
{
    (void)is_warning;
    log_debug("resolver: %s", text);
}

struct evdns_base *name_servers_new(struct event_base *base, const char *resolv_conf)
{
    int options = DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC;
    struct evdns_base *dns = evdns_base_new(base, 0);
    if (dns == NULL)
        return NULL;
    evdns_set_log_fn(on_dns_log);
    if (evdns_base_resolv_conf_parse(dns, options, resolv_conf) != 0)
        log_warning("%s cannot be used, asking 127.0.0.1 for names", resolv_conf);
    if (evdns_base_count_nameservers(dns) == 0)
        evdns_base_nameserver_ip_add(dns, "127.0.0.1");
    return dns;
}
