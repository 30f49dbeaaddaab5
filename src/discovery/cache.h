/*
 * The members of services as a file, so that a start finds them while the registry is away.
 */
#ifndef ZOMBIE_DISCOVERY_CACHE_H
#define ZOMBIE_DISCOVERY_CACHE_H

#include <stddef.h>

#include "discovery/member.h"

/* The largest file that is read, in bytes. */
#define CACHE_BYTES_MAX (16 << 20)

struct cache;

/* One without services. Returns NULL: out of memory. */
struct cache *cache_new(void);
void cache_free(struct cache *cache);

/*
 * Read a file into one that has no services; never waits for anything. Returns 0; -ENOENT: there is
 * none; -EBADMSG: it is not what cache_write() has written, or no file; -EFBIG; or -errno.
 */
__attribute__((warn_unused_result)) int cache_read(struct cache *cache, const char *path);

/*
 * Write the services that were noted or asked for aside, under a name of its own, fsync(2), and put
 * the file in place by rename(2). What was read besides is left out. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int cache_write(const struct cache *cache, const char *path);

/* Note the members of a service. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int cache_set(struct cache *cache, const char *service,
                                                  const struct member *members, size_t n);

/* What is noted: up to MEMBERS_MAX, sorted by id; returns how many, 0: none is known. */
size_t cache_get(struct cache *cache, const char *service, struct member *ret_members);

/* Read what cache_write() writes, from len bytes. Returns 0, -EBADMSG or -ENOMEM. */
__attribute__((warn_unused_result)) int cache_parse(struct cache *cache, const char *text,
                                                    size_t len);

#endif
