#include "config.h"

#include "distributor/distributor.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "distributor/broadcast.h"
#include "distributor/distributor_state.h"
#include "distributor/door.h"
#include "distributor/laggards.h"
#include "distributor/visitor.h"

/* Standard streams, log, loop, sockets, and lists that slow readers are still at. */
#define OTHER_DESCRIPTORS 256

/* Lines in a second about connections that were closed, and about nodes that come and go. */
#define LINES_MAX 10

/* For how many connections there is room when there may be so many nodes: some only ask. */
static size_t room_for(size_t max_nodes)
{
    return max_nodes + max_nodes / 16 + 64;
}

size_t distributor_descriptors(const struct conf_distributor *conf)
{
    return room_for((size_t)conf->max_nodes) + OTHER_DESCRIPTORS;
}

/* Whether there may be another line; *ret_left_out of the second before are still to be counted. */
static bool take_line(struct quota *quota, unsigned *ret_left_out)
{
    int64_t now_ms = clock_now_ms();
    *ret_left_out = 0;
    if (now_ms - quota->since_ms >= 1000) {
        if (quota->lines > LINES_MAX)
            *ret_left_out = quota->lines - LINES_MAX;
        *quota = (struct quota){.since_ms = now_ms};
    }
    return quota->lines++ < LINES_MAX;
}

void distributor_complain(struct distributor *distributor, const char *peer, const char *why)
{
    unsigned left_out;
    bool may = take_line(&distributor->complaints, &left_out);
    if (left_out > 0)
        log_warning("%u more connections were closed", left_out);
    if (may)
        log_warning("connection of %s closed: %s", peer, why);
}

void distributor_tell(struct distributor *distributor, const char *peer, const char *name)
{
    unsigned left_out;
    bool may = take_line(&distributor->news, &left_out);
    if (left_out > 0)
        log_info("nodes have come or gone %u more times", left_out);
    if (!may)
        return;
    if (name != NULL)
        log_info("node %s has come as \"%.100s\", there are %zu", peer, name, distributor->table.n);
    else
        log_info("node %s has gone, %zu are left", peer, distributor->table.n);
}

bool distributor_admits(const struct distributor *distributor, const struct address *peer)
{
    return distributor->networks.n == 0 || networks_contain(&distributor->networks, peer);
}

static void take_numbers(struct distributor *distributor, const struct conf_distributor *conf)
{
    distributor->table.max = (size_t)conf->max_nodes;
    distributor->max_connections = room_for((size_t)conf->max_nodes);
    distributor->max_frame_bytes = (size_t)conf->max_frame_bytes;
    distributor->send_timeout_ms = conf->send_timeout_ms;
}

static void judge_again(struct distributor *distributor, struct visitors *visitors)
{
    struct visitor *next;
    for (struct visitor *visitor = TAILQ_FIRST(visitors); visitor != NULL; visitor = next) {
        struct address peer;
        next = TAILQ_NEXT(visitor, place);
        visitor->frames.max = distributor->max_frame_bytes;
        visitor_address(visitor, &peer);
        if (distributor_admits(distributor, &peer))
            continue;
        distributor->tally.refused_network++;
        visitor_close(visitor, "it is in none of distributor.networks any more");
    }
}

int distributor_limit(struct distributor *distributor, const struct conf_distributor *conf)
{
    struct networks networks;
    int err = networks_read(&conf->networks, &networks);
    if (err != 0)
        return err;
    networks_free(&distributor->networks);
    distributor->networks = networks;
    take_numbers(distributor, conf);
    laggards_rearm(distributor);
    door_set_patience(door_fd(distributor), conf);
    judge_again(distributor, &distributor->members);
    judge_again(distributor, &distributor->guests);
    return 0;
}

static int set_up(struct distributor *distributor, int fd, const struct conf_distributor *conf)
{
    distributor->buffer = malloc(DISTRIBUTOR_READ_MAX);
    if (distributor->buffer == NULL)
        return -ENOMEM;
    int err = networks_read(&conf->networks, &distributor->networks);
    if (err == 0)
        err = broadcast_init(distributor);
    if (err == 0)
        err = laggards_init(distributor);
    return err == 0 ? door_open(distributor, fd) : err;
}

int distributor_new(struct event_base *base, int fd, const struct conf_distributor *conf,
                    struct distributor **ret_distributor)
{
    struct distributor *distributor = calloc(1, sizeof *distributor);
    if (distributor == NULL)
        return -ENOMEM;
    distributor->base = base;
    distributor->started_ms = clock_now_ms();
    TAILQ_INIT(&distributor->guests);
    TAILQ_INIT(&distributor->members);
    table_init(&distributor->table, (size_t)conf->max_nodes);
    take_numbers(distributor, conf);
    int err = set_up(distributor, fd, conf);
    if (err != 0) {
        distributor_free(distributor);
        return err;
    }
    *ret_distributor = distributor;
    return 0;
}

static void close_all(struct visitors *visitors)
{
    struct visitor *visitor;
    while ((visitor = TAILQ_FIRST(visitors)) != NULL)
        visitor_close(visitor, NULL);
}

void distributor_free(struct distributor *distributor)
{
    if (distributor == NULL)
        return;
    door_close(distributor);
    close_all(&distributor->guests);
    close_all(&distributor->members);
    broadcast_clear(distributor);
    laggards_clear(distributor);
    networks_free(&distributor->networks);
    free(distributor->buffer);
    free(distributor);
}
