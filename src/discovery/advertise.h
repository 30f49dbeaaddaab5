/*
 * Which address others reach this instance by, where the configuration leaves it open.
 */
#ifndef ZOMBIE_DISCOVERY_ADVERTISE_H
#define ZOMBIE_DISCOVERY_ADVERTISE_H

#include "base/address.h"
#include "discovery/member.h"

struct registry_url;

/*
 * The host of an instance that listens on this TCP address: that one, unless it is the wildcard;
 * then the address that packets to the registry would have as their source (connect(2) of a UDP
 * socket, which sends nothing). A registry that is a name is not looked up for this: then it is
 * the source of packets to anywhere. Without a route it is 127.0.0.1.
 */
void advertise_host(const struct address *listener, const struct registry_url *url,
                    char host[MEMBER_HOST_SIZE]);

#endif
