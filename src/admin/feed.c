#include "config.h"

#include "admin/feed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"

/* A master that is alive answers in less than a millisecond. */
static const struct timeval patience = {2, 0};

LIST_HEAD(questions, feed_question);

struct feed {
    struct control_client *client;
    struct feed_listener listener;
    struct questions waiting;
    uint64_t asked; /* the id of the question to the master; 0: none is open */
    struct event *overdue;
    char *json;       /* the last status, or NULL */
    int64_t asked_ms; /* when it was asked for */
    int64_t told_ms;
};

static void tell_all(struct feed *feed, const struct feed_status *status)
{
    struct feed_question *question;
    while ((question = LIST_FIRST(&feed->waiting)) != NULL) {
        LIST_REMOVE(question, entry);
        question->told(status, question->arg);
    }
}

static struct feed_status latest(const struct feed *feed)
{
    return (struct feed_status){.json = feed->json, .len = strlen(feed->json)};
}

static void fail(struct feed *feed, const char *why)
{
    struct feed_status status = {.why = why};
    feed->asked = 0;
    event_del(feed->overdue);
    tell_all(feed, &status);
}

static void on_status(const json_t *line, bool is_last, void *arg)
{
    struct feed *feed = arg;
    if (line == NULL) {
        fail(feed, "the master is gone");
        return;
    }
    if (!is_last)
        return;
    char *json = json_dumps(json_object_get(line, "result"), JSON_COMPACT);
    if (json == NULL) {
        fail(feed, "the master has no status");
        return;
    }
    free(feed->json);
    feed->json = json;
    feed->told_ms = feed->asked_ms;
    feed->asked = 0;
    event_del(feed->overdue);
    struct feed_status status = latest(feed);
    tell_all(feed, &status);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    struct feed *feed = arg;
    (void)fd;
    (void)what;
    control_client_forget(feed->client, feed->asked);
    fail(feed, "the master does not answer");
}

static void ask_master(struct feed *feed)
{
    feed->asked_ms = clock_now_ms();
    feed->asked = control_client_ask(feed->client, "status", NULL, on_status, feed);
    if (feed->asked == 0)
        fail(feed, "the master is gone");
    else if (event_add(feed->overdue, &patience) != 0)
        on_overdue(-1, 0, feed);
}

void feed_ask(struct feed *feed, int64_t max_age_ms, struct feed_question *question)
{
    if (feed->json != NULL && max_age_ms > 0 && clock_now_ms() - feed->told_ms <= max_age_ms) {
        struct feed_status status = latest(feed);
        question->told(&status, question->arg);
        return;
    }
    LIST_INSERT_HEAD(&feed->waiting, question, entry);
    if (feed->asked == 0)
        ask_master(feed);
}

void feed_forget(struct feed_question *question)
{
    LIST_REMOVE(question, entry);
}

struct control_client *feed_client(struct feed *feed)
{
    return feed->client;
}

static void on_event(const json_t *line, bool is_last, void *arg)
{
    struct feed *feed = arg;
    const json_t *event = line != NULL ? json_object_get(line, "event") : NULL;
    if (event != NULL)
        feed->listener.event(event, feed->listener.arg);
    else if (line == NULL)
        feed->listener.lost(feed->listener.arg);
    else if (is_last)
        log_warning("the master tells no more events");
}

static void on_pong(const json_t *line, bool is_last, void *arg)
{
    struct feed *feed = arg;
    if (is_last && line != NULL)
        feed->listener.caught_up(feed->listener.arg);
}

/* The master answers in turn: with the pong all is told that it had kept. */
static void follow_events(struct feed *feed)
{
    json_t *arguments = json_pack("{sb}", "follow", 1);
    if (control_client_ask(feed->client, "events", arguments, on_event, feed) == 0 ||
        control_client_ask(feed->client, "ping", NULL, on_pong, feed) == 0)
        log_warning("cannot ask the master for events, going on without them");
}

int feed_new(struct event_base *base, int fd, const struct feed_listener *listener,
             struct feed **ret_feed)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return -ENOMEM;
    feed->listener = *listener;
    LIST_INIT(&feed->waiting);
    feed->overdue = event_new(base, -1, 0, on_overdue, feed);
    int err = feed->overdue != NULL ? 0 : -ENOMEM;
    if (err == 0)
        err = control_client_adopt(base, fd, &feed->client);
    if (err != 0) {
        feed_free(feed);
        return err;
    }
    follow_events(feed);
    *ret_feed = feed;
    return 0;
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    control_client_free(feed->client);
    if (feed->overdue != NULL)
        event_free(feed->overdue);
    free(feed->json);
    free(feed);
}
