#include "config.h"

#include "distributor/broadcast.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "distributor/distributor_state.h"
#include "distributor/laggards.h"
#include "distributor/snapshot.h"
#include "distributor/visitor.h"

/* How many are attended before the loop looks at sockets again. */
#define TURN_CONNECTIONS 64

/* After a snapshot could not be made. */
#define RETRY_MS 1000

/* How many old lists there may be, for each is a descriptor, and their bytes together. */
#define OLD_LISTS_MAX 128
#define OLD_BYTES_MAX ((size_t)32 << 20)

/* Have the turn come at that time, unless it comes sooner anyhow. */
static void arm(struct broadcast *broadcast, int64_t when_ms, int64_t now_ms)
{
    int64_t wait_ms = when_ms > now_ms ? when_ms - now_ms : 0;
    const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (when_ms >= broadcast->turn_ms)
        return;
    broadcast->turn_ms = when_ms;
    event_add(broadcast->turn, &wait);
}

/* A timer that is over goes off after the sockets that are ready: so a turn's changes are one. */
static void arm_soon(struct broadcast *broadcast)
{
    arm(broadcast, 0, 0);
}

static void attend_all(struct visitors *visitors, struct distributor *distributor)
{
    for (struct visitor *visitor = TAILQ_FIRST(visitors); visitor != NULL;
         visitor = TAILQ_NEXT(visitor, place))
        if (visitor_update(visitor))
            broadcast_attend(distributor, visitor);
}

/* Everybody who has begun with a list and is not done with it stands among the laggards. */
static void spare_memory(struct distributor *distributor)
{
    const struct snapshots *kept = &distributor->broadcast.kept;
    size_t newest_bytes = distributor->broadcast.newest->len;
    while (kept->n - 1 > OLD_LISTS_MAX || kept->bytes - newest_bytes > OLD_BYTES_MAX)
        if (laggards_cut_off(distributor, TAILQ_FIRST(&kept->all)) == 0)
            return;
}

static int renew(struct distributor *distributor, int64_t now_ms)
{
    struct broadcast *broadcast = &distributor->broadcast;
    struct snapshot *snapshot;
    int err = snapshot_new(&broadcast->kept, &distributor->table, &snapshot);
    if (err != 0)
        return err;
    snapshot_release(broadcast->newest);
    broadcast->newest = snapshot;
    broadcast->wanted = false;
    broadcast->began_ms = now_ms;
    distributor->tally.broadcasts += !TAILQ_EMPTY(&distributor->members);
    log_debug("broadcast %llu: %zu nodes, %zu bytes",
              (unsigned long long)distributor->tally.broadcasts, snapshot->n, snapshot->len);
    spare_memory(distributor);
    attend_all(&distributor->members, distributor);
    attend_all(&distributor->guests, distributor);
    return 0;
}

/* When the next one may begin. */
static int64_t due_ms(const struct broadcast *broadcast)
{
    int64_t when_ms = broadcast->n_behind == 0 ? 0 : broadcast->began_ms + BROADCAST_GAP_MS;
    return when_ms > broadcast->retry_ms ? when_ms : broadcast->retry_ms;
}

static void step(struct distributor *distributor, int64_t now_ms)
{
    struct broadcast *broadcast = &distributor->broadcast;
    if (!broadcast->wanted || now_ms < due_ms(broadcast))
        return;
    int err = renew(distributor, now_ms);
    if (err == 0)
        return;
    log_warning("cannot make the list of %zu nodes: %s, trying again in %d ms",
                distributor->table.n, strerror(-err), RETRY_MS);
    broadcast->retry_ms = now_ms + RETRY_MS;
}

static void attend_some(struct distributor *distributor)
{
    struct broadcast *broadcast = &distributor->broadcast;
    struct visitor *visitor;
    for (int i = 0; i < TURN_CONNECTIONS; i++) {
        visitor = TAILQ_FIRST(&broadcast->due);
        if (visitor == NULL)
            return;
        broadcast_forget(distributor, visitor);
        visitor_attend(visitor);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct distributor *distributor = arg;
    struct broadcast *broadcast = &distributor->broadcast;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    broadcast->turn_ms = INT64_MAX;
    step(distributor, now_ms);
    attend_some(distributor);
    if (!TAILQ_EMPTY(&broadcast->due))
        arm_soon(broadcast);
    else if (broadcast->wanted)
        arm(broadcast, due_ms(broadcast), now_ms);
}

int broadcast_init(struct distributor *distributor)
{
    struct broadcast *broadcast = &distributor->broadcast;
    *broadcast = (struct broadcast){.turn_ms = INT64_MAX};
    TAILQ_INIT(&broadcast->due);
    snapshots_init(&broadcast->kept);
    broadcast->turn = event_new(distributor->base, -1, 0, on_turn, distributor);
    return broadcast->turn != NULL ? 0 : -ENOMEM;
}

void broadcast_want(struct distributor *distributor)
{
    struct broadcast *broadcast = &distributor->broadcast;
    broadcast->wanted = true;
    arm(broadcast, due_ms(broadcast), clock_now_ms());
}

void broadcast_attend(struct distributor *distributor, struct visitor *visitor)
{
    struct broadcast *broadcast = &distributor->broadcast;
    if (visitor->is_due)
        return;
    visitor->is_due = true;
    TAILQ_INSERT_TAIL(&broadcast->due, visitor, due);
    arm_soon(broadcast);
}

void broadcast_forget(struct distributor *distributor, struct visitor *visitor)
{
    if (!visitor->is_due)
        return;
    visitor->is_due = false;
    TAILQ_REMOVE(&distributor->broadcast.due, visitor, due);
}

void broadcast_note(struct distributor *distributor, struct visitor *visitor, bool is_behind)
{
    struct broadcast *broadcast = &distributor->broadcast;
    if (visitor->is_behind == is_behind)
        return;
    visitor->is_behind = is_behind;
    broadcast->n_behind = is_behind ? broadcast->n_behind + 1 : broadcast->n_behind - 1;
    if (broadcast->wanted)
        arm(broadcast, due_ms(broadcast), clock_now_ms());
}

void broadcast_clear(struct distributor *distributor)
{
    struct broadcast *broadcast = &distributor->broadcast;
    if (broadcast->turn != NULL)
        event_free(broadcast->turn);
    snapshot_release(broadcast->newest);
    *broadcast = (struct broadcast){.newest = NULL};
}
