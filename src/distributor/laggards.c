#include "config.h"

#include "distributor/laggards.h"

#include <errno.h>
#include <stddef.h>

#include <event2/event.h>

#include "base/clock.h"
#include "distributor/distributor_state.h"
#include "distributor/visitor.h"

/* When the first of them is to go. */
static int64_t due_ms(const struct distributor *distributor)
{
    const struct visitor *first = TAILQ_FIRST(&distributor->late);
    return first != NULL ? first->late_since_ms + distributor->send_timeout_ms : INT64_MAX;
}

static void arm(struct distributor *distributor, int64_t now_ms)
{
    int64_t when_ms = due_ms(distributor);
    int64_t wait_ms = when_ms > now_ms ? when_ms - now_ms : 0;
    const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (when_ms == INT64_MAX)
        event_del(distributor->deadline);
    else
        event_add(distributor->deadline, &wait);
}

void laggards_rearm(struct distributor *distributor)
{
    arm(distributor, clock_now_ms());
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct distributor *distributor = arg;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    while (due_ms(distributor) <= now_ms) {
        distributor->tally.refused_slow++;
        visitor_close(TAILQ_FIRST(&distributor->late), "it does not read what it is sent");
    }
    arm(distributor, now_ms);
}

size_t laggards_cut_off(struct distributor *distributor, const struct snapshot *snapshot)
{
    size_t n = 0;
    struct visitor *next;
    for (struct visitor *visitor = TAILQ_FIRST(&distributor->late); visitor != NULL;
         visitor = next) {
        next = TAILQ_NEXT(visitor, late);
        if (visitor->delivery.snapshot != snapshot)
            continue;
        n++;
        distributor->tally.refused_slow++;
        visitor_close(visitor, "it reads too slowly, and there are too many old lists");
    }
    return n;
}

int laggards_init(struct distributor *distributor)
{
    TAILQ_INIT(&distributor->late);
    distributor->deadline = event_new(distributor->base, -1, 0, on_deadline, distributor);
    return distributor->deadline != NULL ? 0 : -ENOMEM;
}

void laggards_add(struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    if (visitor->is_late)
        return;
    int64_t now_ms = clock_now_ms();
    bool is_first = TAILQ_EMPTY(&distributor->late);
    visitor->is_late = true;
    visitor->late_since_ms = now_ms;
    TAILQ_INSERT_TAIL(&distributor->late, visitor, late);
    if (is_first)
        arm(distributor, now_ms);
}

/* A timer for nobody goes off once in vain, which is cheaper than to set it each time. */
void laggards_drop(struct visitor *visitor)
{
    if (!visitor->is_late)
        return;
    visitor->is_late = false;
    TAILQ_REMOVE(&visitor->distributor->late, visitor, late);
}

void laggards_clear(struct distributor *distributor)
{
    if (distributor->deadline != NULL)
        event_free(distributor->deadline);
    distributor->deadline = NULL;
}
