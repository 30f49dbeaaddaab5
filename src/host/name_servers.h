/*
 * The name servers of this machine, for libevent's resolver: resolv.conf(5).
 */
#ifndef ZOMBIE_HOST_NAME_SERVERS_H
#define ZOMBIE_HOST_NAME_SERVERS_H

struct evdns_base;
struct event_base;

/*
 * Make a resolver that asks one of this file: at turn 0 the first, and so on, round and round.
 * Without any it asks 127.0.0.1, as resolv.conf(5) has it. Returns it, to be freed with
 * evdns_base_free(); NULL: out of memory.
 */
struct evdns_base *name_servers_new(struct event_base *base, const char *resolv_conf,
                                    unsigned turn);

#endif
