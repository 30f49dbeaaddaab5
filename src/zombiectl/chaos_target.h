/*
 * Where the probe load goes: "http://127.0.0.1:3000/hello", "unix:/run/x.sock".
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_TARGET_H
#define ZOMBIE_ZOMBIECTL_CHAOS_TARGET_H

#include <stddef.h>

#include "base/address.h"

#define CHAOS_TARGET_HOST_SIZE 264
#define CHAOS_TARGET_PATH_SIZE 2048

struct chaos_target {
    struct address address;
    char host[CHAOS_TARGET_HOST_SIZE]; /* for the field Host */
    char path[CHAOS_TARGET_PATH_SIZE]; /* with the query */
};

/*
 * Take http://HOST[:PORT][/PATH][?QUERY], or unix:/PATH of a socket (then "/" is
 * asked for), apart, and look a name up if HOST is one, which may block.
 * Returns 0; or -EINVAL, or -EHOSTUNREACH for an unknown name, with *ret_why set
 * to static text.
 */
__attribute__((warn_unused_result)) int
chaos_target_parse(const char *url, struct chaos_target *ret_target, const char **ret_why);

#endif
