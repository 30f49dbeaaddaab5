/*
 * The upstreams and what all processes know of their peers, in shared memory:
 * workers choose by it and say what became of it, the master and the herald
 * change who is a member, anyone looks. The rules are in choice.h and peer.h.
 *
 * Each upstream has a lock that a process may die with; the master then sets it
 * free, see balancer_bury(). Connections are counted by place, one for each
 * process, so that those of a dead one can be taken back.
 *
 * A process that was taken over may write anything into the memory. Others then
 * choose and show nonsense, but nobody reads or writes elsewhere, and nobody waits
 * for ever.
 *
 * Times are milliseconds of one monotonic clock for all.
 */
#ifndef ZOMBIE_PROXY_BALANCER_H
#define ZOMBIE_PROXY_BALANCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "conf/conf.h"
#include "proxy/peer.h"

#define BALANCER_UPSTREAMS 64
#define BALANCER_PEERS     PEER_MAX /* of an upstream */

/* Room for the title of an upstream or a server, terminating NUL included; longer ones are refused.
 */
#define BALANCER_TITLE_SIZE 264

/* Rises when the bytes mean something else. */
#define BALANCER_LAYOUT 2

struct balancer;

/* One upstream; belongs to the balancer and is as good as long. */
struct balancer_upstream;

/* Who was chosen. */
struct balancer_pick {
    unsigned peer;
    uint32_t incarnation;
    struct address address;
    char name[ADDRESS_TEXT_SIZE]; /* the address, as address_format() writes it */
    int64_t began_us;             /* the caller's; 0 at first */
};

enum balancer_outcome {
    BALANCER_OK,
    BALANCER_FAILED,
    BALANCER_CANCELLED /* says nothing of the peer */
};

/* One peer, for who looks. */
struct balancer_view {
    unsigned peer; /* this and the incarnation are for balancer_set_health() */
    uint32_t incarnation;
    char server[BALANCER_TITLE_SIZE]; /* as configured */
    char name[ADDRESS_TEXT_SIZE];
    struct address address;
    enum peer_state state;
    bool is_backup;
    bool is_drained; /* also when the state has another reason */
    bool is_found;   /* a registry has named the server */
    uint32_t weight;
    uint32_t fails;
    uint32_t connections;
    uint64_t requests; /* this and the next only ever rise */
    uint64_t failures;
    int64_t latency_us; /* smoothed; 0: unknown */
    int64_t error_ms;   /* when the last failure was; 0: there was none */
};

/* --- The memory ------------------------------------------------------------ */

/*
 * Make one without upstreams, for places 0 to n_places - 1, in a memfd; or in
 * anonymous memory where there can be no memfd. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int balancer_new(size_t n_places,
                                                     struct balancer **ret_balancer);

/*
 * Map the balancer that fd is: a master has handed it to the program that takes
 * its place. On success fd belongs to the balancer and is closed on exec. Returns
 * 0; or -EBADF when it has another size or layout, or -errno, and fd stays the caller's.
 */
__attribute__((warn_unused_result)) int balancer_adopt(int fd, size_t n_places,
                                                       struct balancer **ret_balancer);

/* The descriptor of its memory, which stays the balancer's; -1: it has none to hand over. */
int balancer_fd(const struct balancer *balancer);

/*
 * For the child in this place, once, before all else: it is not the master, as which
 * a balancer that was made or adopted speaks.
 */
void balancer_as(struct balancer *balancer, unsigned place);

/* Unmap and close; NULL is fine. The memory lives on in processes that have it mapped. */
void balancer_free(struct balancer *balancer);

/* --- Members: the master and the herald ------------------------------------- */

/*
 * For the master: the upstreams and servers are those of this configuration.
 * Who stays, by title and address, keeps its state; the addresses of a name stay
 * what they were, and so do the servers that were found for an upstream with
 * from_registry. An upstream that goes is found no more, but serves those who
 * have found it, until its place is wanted.
 *
 * Returns 0; or, with as much applied as could be: -EAGAIN when a lock was held
 * for long, to be called again; -ENOSPC when there are too many upstreams or
 * peers, or places that are still in use; -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int balancer_apply(struct balancer *balancer,
                                                       const struct conf *conf, int64_t now_ms);

/*
 * For the herald: what a name stands for now, in any order; an address that is
 * there twice counts once. Returns 0; -ENOENT when there is no server with this
 * title that is a name; -ENOSPC with as many as fit; -EAGAIN without the lock.
 */
__attribute__((warn_unused_result)) int balancer_resolve(struct balancer_upstream *upstream,
                                                         const char *server_title,
                                                         const struct address *addresses, size_t n,
                                                         int64_t now_ms);

/*
 * For the herald: the servers of the upstream that a registry names now, beside those of the
 * configuration, which go before one of the same title. Who stays keeps its state. Returns 0;
 * -ENOENT when the upstream is another one by now; -ENOSPC with as many as fit; -EAGAIN without
 * the lock.
 */
__attribute__((warn_unused_result)) int balancer_set_found(struct balancer_upstream *upstream,
                                                           const struct conf_server *found,
                                                           size_t n, int64_t now_ms);

/*
 * Take a server out for new requests, or in again: an address, or the title of a
 * server and with it all its addresses. Returns 0; -ENOENT when no peer is named
 * so; -EAGAIN without the lock.
 */
__attribute__((warn_unused_result)) int balancer_set_drained(struct balancer_upstream *upstream,
                                                             const char *server, bool is_drained,
                                                             int64_t now_ms);

/*
 * What the active check found. Returns 0; -ENOENT when the peer is another one by
 * now or no member; -EAGAIN without the lock.
 */
int balancer_set_health(struct balancer_upstream *upstream, unsigned peer, uint32_t incarnation,
                        bool is_healthy, int64_t now_ms);

/*
 * For the master: the process of this place is dead, its connections are no more,
 * and locks that it had, or that nobody can have, are free. Does not wait. Returns whether all is
 * done; if not, call it again before the place has another process.
 */
__attribute__((warn_unused_result)) bool balancer_bury(struct balancer *balancer, unsigned place);

/* --- Requests: the workers ---------------------------------------------------- */

/* The upstream of this title in the configuration that was applied last; NULL: there is none. */
struct balancer_upstream *balancer_find(struct balancer *balancer, const char *title);

/*
 * Choose a peer that is not in *tried, put it there, and count a connection of
 * this place. Each pick must come to balancer_done(). `client` is as for struct
 * choice. Returns 0; -ENOENT when no peer may be chosen; -EAGAIN when the lock was
 * not to be had within 50 ms (in the master: not at once).
 */
__attribute__((warn_unused_result)) int
balancer_choose(struct balancer_upstream *upstream, unsigned place, struct peer_set *tried,
                const struct address *client, int64_t now_ms, struct balancer_pick *ret_pick);

/*
 * The connection is done with. latency_us: from the choice to the answer's head,
 * which counts for BALANCER_OK alone; -1: unknown. Without the lock within 50 ms
 * the connection is given back all the same, and the outcome is lost.
 */
void balancer_done(struct balancer_upstream *upstream, unsigned place,
                   const struct balancer_pick *pick, enum balancer_outcome outcome, int64_t now_ms,
                   int64_t latency_us);

/* --- Who looks -------------------------------------------------------------- */

/* Upstream i, 0 <= i < BALANCER_UPSTREAMS; NULL: there is none of this number. */
struct balancer_upstream *balancer_at(struct balancer *balancer, size_t i);

/* Its title, as balancer_find() takes it. */
void balancer_title(const struct balancer_upstream *upstream, char title[BALANCER_TITLE_SIZE]);
enum conf_balance balancer_method(const struct balancer_upstream *upstream);

/* How often somebody died with the lock, and what was left was set right. */
uint64_t balancer_repairs(const struct balancer_upstream *upstream);

/*
 * Look at up to n peers, backups last; returns how many there are in *ret_views.
 * Does not wait: when the lock is held for long, the figures of a peer may be of
 * different moments.
 */
size_t balancer_list(struct balancer_upstream *upstream, int64_t now_ms,
                     struct balancer_view *ret_views, size_t n);

#endif
