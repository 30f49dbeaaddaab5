/*
 * Which peer a request goes to: smooth weighted round robin, fewest
 * connections, by the client's address, the better of two at random. As nginx
 * does it, where nginx does it. Works on peers in memory and an order of them;
 * time and chance are parameters.
 */
#ifndef ZOMBIE_PROXY_CHOICE_H
#define ZOMBIE_PROXY_CHOICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "proxy/peer.h"

/* What is chosen from. Backups have their turn when no other peer may be chosen. */
struct choice {
    int balance; /* enum conf_balance */
    struct peer *peers;
    const uint8_t *order; /* indices of peers, the backups last */
    size_t n_primary;
    size_t n; /* backups included; PEER_MAX at most */
    const struct peer_set *tried;
    const struct address *client; /* for ip_hash; NULL, or a unix one: as 0.0.0.0 */
    uint64_t *random;             /* any state but 0; moves on when chance is asked */
    int64_t now_ms;
};

/* Whether there is one peer and no other: see peer_state(). */
bool choice_is_single(const struct choice *choice);

/*
 * Choose a peer that is up and was not tried, and note in the peers that it was
 * chosen; connections are the caller's to count. Returns its index, or -1 when
 * there is none.
 */
int choice_make(const struct choice *choice);

/*
 * Whether the peer's latency is above `times` that of more than half of the
 * others of its kind that are up or busy. Never when half of its kind is
 * ejected, or would be with it.
 */
bool choice_is_outlier(const struct choice *choice, unsigned peer, unsigned times);

#endif
