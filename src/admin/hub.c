#include "config.h"

#include "admin/hub.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "admin/event_ring.h"
#include "admin/feed.h"
#include "admin/pulse.h"
#include "base/bytes.h"
#include "base/clock.h"

/* How often it is looked whether something has changed: so often is the status sent at most. */
#define LOOK_MS 200

/* When only counters have: so often. When nothing has: so often, give or take a look. */
#define TRAFFIC_MS 500
#define CALM_MS    1800

/* A proxy in between shall not think that the stream is dead. */
#define SILENCE_MS 10000

/* What a listener gets who has seen nothing yet. */
#define EVENTS_AT_FIRST 50

struct listener {
    LIST_ENTRY(listener) entry;
    struct hub *hub;
    struct reply_stream *stream; /* NULL until it was asked for more */
    struct bytes queue;          /* what it has not been given yet, but for the status */
    uint64_t seen;               /* the number of the status that it was given last */
    uint64_t last_seq;           /* what it had heard when it came */
    bool is_slow;                /* too much has waited for it: to be closed */
};

LIST_HEAD(listeners, listener);

struct hub {
    const struct scoreboard *scoreboard;
    struct feed *feed;
    struct event *look;
    struct listeners listeners;
    size_t n_listeners;
    struct event_ring ring;
    bool caught_up;      /* the ring has what the master had kept */
    struct bytes status; /* the last one as bytes of a stream */
    uint64_t number;     /* of that status, from 1 */
    struct feed_question question;
    bool is_asking;
    bool has_news; /* an event has come since the status was asked for */
    bool ended;
    struct pulse pulse; /* of the scoreboard when it was */
    int64_t asked_ms;
    int64_t sent_ms;
};

static void wake(struct listener *listener)
{
    if (listener->stream != NULL)
        reply_wake(listener->stream);
}

/* Each may be over, and freed, when it has been woken. */
static void wake_all(struct hub *hub)
{
    struct listener *next;
    hub->sent_ms = clock_now_ms();
    for (struct listener *one = LIST_FIRST(&hub->listeners); one != NULL; one = next) {
        next = LIST_NEXT(one, entry);
        wake(one);
    }
}

static void queue(struct listener *listener, const char *text, size_t len)
{
    if (listener->queue.len + len > HUB_BACKLOG_MAX) {
        bytes_free(&listener->queue);
        listener->is_slow = true;
    }
    if (!listener->is_slow)
        bytes_add(&listener->queue, text, len);
}

static void queue_all(struct hub *hub, const char *text, size_t len)
{
    for (struct listener *one = LIST_FIRST(&hub->listeners); one != NULL;
         one = LIST_NEXT(one, entry))
        queue(one, text, len);
    wake_all(hub);
}

void hub_tell(const json_t *event, void *arg)
{
    struct hub *hub = arg;
    const struct event_block *block = event_ring_add(&hub->ring, event);
    hub->has_news = true;
    if (block != NULL && hub->caught_up)
        queue_all(hub, block->text.at, block->text.len);
}

static void replay(struct listener *listener)
{
    event_ring_replay(&listener->hub->ring, listener->last_seq, EVENTS_AT_FIRST, &listener->queue);
}

void hub_catch_up(void *arg)
{
    struct hub *hub = arg;
    hub->caught_up = true;
    for (struct listener *one = LIST_FIRST(&hub->listeners); one != NULL;
         one = LIST_NEXT(one, entry))
        replay(one);
    wake_all(hub);
}

static int write_status(struct listener *listener, struct reply_stream *stream)
{
    const struct hub *hub = listener->hub;
    if (listener->seen == hub->number || hub->status.len == 0)
        return 0;
    listener->seen = hub->number;
    return reply_write(stream, hub->status.at, hub->status.len);
}

static enum reply_next more(struct reply_stream *stream, void *arg)
{
    struct listener *listener = arg;
    listener->stream = stream;
    if (listener->is_slow || listener->queue.failed)
        return REPLY_BREAK;
    if (reply_write(stream, listener->queue.at, listener->queue.len) != 0 ||
        write_status(listener, stream) != 0)
        return REPLY_BREAK;
    bytes_free(&listener->queue);
    return listener->hub->ended ? REPLY_END : REPLY_WAIT;
}

static void forget_status(struct hub *hub)
{
    if (hub->is_asking)
        feed_forget(&hub->question);
    hub->is_asking = false;
    bytes_free(&hub->status);
    event_del(hub->look);
}

static void over(void *arg)
{
    struct listener *listener = arg;
    struct hub *hub = listener->hub;
    LIST_REMOVE(listener, entry);
    bytes_free(&listener->queue);
    free(listener);
    if (--hub->n_listeners == 0)
        forget_status(hub);
}

static void on_status(const struct feed_status *status, void *arg)
{
    struct hub *hub = arg;
    hub->is_asking = false;
    if (status->json == NULL)
        return; /* it is asked for again soon */
    bytes_clear(&hub->status);
    bytes_add_text(&hub->status, "event: status\ndata: ");
    bytes_add(&hub->status, status->json, status->len);
    bytes_add_text(&hub->status, "\n\n");
    if (hub->status.failed) {
        bytes_free(&hub->status);
        return;
    }
    hub->number++;
    wake_all(hub);
}

static void ask(struct hub *hub, const struct pulse *pulse, int64_t now_ms)
{
    hub->pulse = *pulse;
    hub->asked_ms = now_ms;
    hub->has_news = false;
    hub->is_asking = true;
    feed_ask(hub->feed, 0, &hub->question);
}

static bool is_due(const struct hub *hub, const struct pulse *pulse, int64_t now_ms)
{
    int64_t age_ms = now_ms - hub->asked_ms;
    if (hub->has_news || pulse->shape != hub->pulse.shape)
        return true;
    return age_ms >= CALM_MS || (age_ms >= TRAFFIC_MS && pulse->traffic != hub->pulse.traffic);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    static const char comment[] = ":\n\n";
    struct hub *hub = arg;
    int64_t now_ms = clock_now_ms();
    struct pulse pulse;
    (void)fd;
    (void)what;
    pulse_read(hub->scoreboard, &pulse);
    if (!hub->is_asking && is_due(hub, &pulse, now_ms))
        ask(hub, &pulse, now_ms);
    if (now_ms - hub->sent_ms >= SILENCE_MS)
        queue_all(hub, comment, sizeof comment - 1);
}

int hub_join(struct hub *hub, uint64_t last_seq, struct reply_source *ret_source)
{
    static const struct timeval look = {LOOK_MS / 1000, LOOK_MS % 1000 * 1000};
    if (hub->n_listeners >= HUB_STREAMS_MAX || hub->ended)
        return -EBUSY;
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return -ENOMEM;
    listener->hub = hub;
    listener->last_seq = last_seq;
    bytes_add_text(&listener->queue, "retry: 1000\n\n");
    if (hub->caught_up)
        replay(listener);
    if (listener->queue.failed || (hub->n_listeners == 0 && event_add(hub->look, &look) != 0)) {
        bytes_free(&listener->queue);
        free(listener);
        return -ENOMEM;
    }
    LIST_INSERT_HEAD(&hub->listeners, listener, entry);
    hub->n_listeners++;
    if (hub->n_listeners == 1)
        event_active(hub->look, EV_TIMEOUT, 0); /* it waits for a status */
    *ret_source = (struct reply_source){REPLY_LENGTH_UNKNOWN, more, over, listener};
    return 0;
}

int hub_new(struct event_base *base, const struct scoreboard *scoreboard, struct hub **ret_hub)
{
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return -ENOMEM;
    hub->scoreboard = scoreboard;
    hub->question = (struct feed_question){.told = on_status, .arg = hub};
    LIST_INIT(&hub->listeners);
    hub->look = event_new(base, -1, EV_PERSIST, on_look, hub);
    if (hub->look == NULL) {
        free(hub);
        return -ENOMEM;
    }
    *ret_hub = hub;
    return 0;
}

void hub_set_feed(struct hub *hub, struct feed *feed)
{
    hub->feed = feed;
}

void hub_end(struct hub *hub)
{
    hub->ended = true;
    wake_all(hub);
}

void hub_free(struct hub *hub)
{
    if (hub == NULL)
        return;
    event_free(hub->look);
    event_ring_clear(&hub->ring);
    bytes_free(&hub->status);
    free(hub);
}
