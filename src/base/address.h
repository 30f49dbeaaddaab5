/*
 * Socket addresses as people write them: "127.0.0.1:3000", "[::1]:3000",
 * "unix:/run/zombie.sock".
 */
#ifndef ZOMBIE_BASE_ADDRESS_H
#define ZOMBIE_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Room for address_format(): a unix path of 107 bytes is the longest case. */
#define ADDRESS_TEXT_SIZE 128

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/*
 * Read ADDR:PORT, [IPv6]:PORT or unix:/path from all of `text`. Addresses are
 * numeric: no name is looked up, so no start depends on a resolver. An IPv6
 * zone ("%eth0") is refused: its number may differ after a reboot. The path
 * of a unix socket must be absolute and fit sun_path (unix(7)). Returns 0 and
 * fills *ret_address, or -EINVAL with *ret_why set to a constant sentence
 * fragment that says what is wrong ("the port is not a number from 0 to 65535").
 */
__attribute__((warn_unused_result)) int address_parse(const char *text, struct address *ret_address,
                                                      const char **ret_why);

/*
 * Write the address in the form that address_parse() reads. Three forms are
 * for reading by people only: a nameless unix peer is "unix:", an abstract one
 * "unix:@name", any other family "unknown". The zone of a link-local IPv6 peer
 * is left out.
 */
void address_format(const struct address *address, char buf[ADDRESS_TEXT_SIZE]);

/*
 * Write the address alone, without brackets and port: an IPv4-mapped one as IPv4
 * (RFC 4291 section 2.5.5.2), "" for a unix socket or an unknown family.
 */
void address_format_host(const struct address *address, char buf[INET6_ADDRSTRLEN]);

/* Whether a host is an IPv4 or IPv6 address, without brackets, and no name. */
bool address_is_numeric(const char *host);

/*
 * Write HOST:PORT, where host is a name or an address without brackets; an IPv6
 * one gets them. Returns its length, as snprintf(3): buf has less when that is
 * not below size.
 */
size_t address_join(const char *host, unsigned port, char *buf, size_t size);

/*
 * Whether both name the same socket: family, address, zone and port, or path.
 * A nameless unix address names nothing and equals no other.
 */
bool address_equal(const struct address *a, const struct address *b);

/* The TCP port in host order, or -1 for a unix socket. */
int address_port(const struct address *address);

/* Whether only this machine can reach it: 127.0.0.0/8, ::1, a unix socket. */
bool address_is_local(const struct address *address);

/* Set the TCP port (host order); nothing happens to a unix socket. */
void address_set_port(struct address *address, unsigned port);

#endif
