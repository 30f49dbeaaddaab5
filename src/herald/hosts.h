/*
 * Names that the machine knows by itself: the text of /etc/hosts (hosts(5)).
 */
#ifndef ZOMBIE_HERALD_HOSTS_H
#define ZOMBIE_HERALD_HOSTS_H

#include <stddef.h>

struct address;

/*
 * The addresses that stand in a text of len bytes for a name, in their order and without
 * regard to case, with that port. Lines that cannot be understood are passed over. Returns how
 * many there are, at most `max`.
 */
size_t hosts_find(const char *text, size_t len, const char *name, unsigned port,
                  struct address *ret_addresses, size_t max);

/* Read a file whole, `max` bytes at most. Returns the text, allocated, with its length; or NULL. */
char *hosts_read(const char *path, size_t max, size_t *ret_len);

#endif
