#include "config.h"

#include "distributor/visitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "discovery/registries/distributor_wire.h"
#include "distributor/broadcast.h"
#include "distributor/distributor_state.h"
#include "distributor/laggards.h"
#include "distributor/snapshot.h"

static void describe(const struct visitor *visitor, char text[ADDRESS_TEXT_SIZE])
{
    (void)address_join(visitor->host, visitor->port, text, ADDRESS_TEXT_SIZE);
}

static struct visitors *list_of(const struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    return visitor->node.text != NULL ? &distributor->members : &distributor->guests;
}

/* Leave the table, which all others are told. */
static void leave(struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    char peer[ADDRESS_TEXT_SIZE];
    if (visitor->node.text == NULL)
        return;
    broadcast_note(distributor, visitor, false);
    table_remove(&distributor->table, &visitor->node);
    if (distributor->door == NULL)
        return; /* all go, and nobody is left to be told */
    describe(visitor, peer);
    distributor_tell(distributor, peer, NULL);
    broadcast_want(distributor);
}

void visitor_close(struct visitor *visitor, const char *why)
{
    struct distributor *distributor = visitor->distributor;
    char peer[ADDRESS_TEXT_SIZE];
    if (why != NULL) {
        describe(visitor, peer);
        distributor_complain(distributor, peer, why);
    }
    TAILQ_REMOVE(list_of(visitor), visitor, place);
    distributor->n_connections--;
    leave(visitor);
    broadcast_forget(distributor, visitor);
    laggards_drop(visitor);
    event_free(visitor->event);
    close(visitor->fd);
    frames_free(&visitor->frames);
    delivery_clear(&visitor->delivery);
    bytes_free(&visitor->head);
    free(visitor);
}

/* --- What it says ----------------------------------------------------------------------------- */

static const char *fault_of(int err)
{
    switch (err) {
    case -ENOSPC:
        return "there are as many nodes as may be";
    case -EFBIG:
        return "the list of all nodes would become too long";
    case -E2BIG:
        return "a node says too much of itself";
    case -EMSGSIZE:
        return "a message is too long";
    case -EILSEQ:
        return "a message is no UTF-8";
    default:
        return strerror(-err);
    }
}

static void join(struct visitor *visitor, const char *name)
{
    struct distributor *distributor = visitor->distributor;
    char peer[ADDRESS_TEXT_SIZE];
    TAILQ_REMOVE(&distributor->guests, visitor, place);
    TAILQ_INSERT_TAIL(&distributor->members, visitor, place);
    describe(visitor, peer);
    distributor_tell(distributor, peer, name);
}

/* What all others know already, it alone is told. */
static void tell_again(struct visitor *visitor)
{
    const struct distributor *distributor = visitor->distributor;
    const struct snapshot *newest = distributor->broadcast.newest;
    if (newest != NULL && newest->version == distributor->table.version)
        broadcast_note(visitor->distributor, visitor, true);
}

static int register_node(struct visitor *visitor, json_t *params)
{
    struct distributor *distributor = visitor->distributor;
    struct bytes text = {.at = NULL};
    bool was_member = visitor->node.text != NULL;
    int r = distributor_write_node(&text, params, visitor->host);
    if (r == 0)
        r = table_put(&distributor->table, &visitor->node, text.at, text.len, clock_wall_ms());
    bytes_free(&text);
    if (r == -ENOSPC || r == -EFBIG)
        distributor->tally.refused_full++;
    if (r < 0)
        return r;
    if (!was_member)
        join(visitor, json_string_value(json_object_get(params, "name")));
    if (r > 0)
        broadcast_want(distributor);
    else
        tell_again(visitor);
    return 0;
}

static int note_question(struct visitor *visitor, const json_t *key)
{
    struct distributor *distributor = visitor->distributor;
    const struct snapshot *newest = distributor->broadcast.newest;
    int err = distributor_write_head(&visitor->head, key);
    if (err != 0)
        return err;
    visitor->asks = true;
    visitor->asked_version = distributor->table.version;
    if (newest == NULL || newest->version < visitor->asked_version)
        broadcast_want(distributor);
    return 0;
}

/* Returns 0; or -errno and maybe *ret_why: the connection is of no more use. */
static int take_frame(struct visitor *visitor, const char *frame, size_t len, const char **ret_why)
{
    struct distributor_request request;
    visitor->distributor->tally.frames++;
    int err = distributor_request_read(frame, len, &request, ret_why);
    if (err == -EOPNOTSUPP) {
        log_debug("%s:%u has sent what nobody here understands: %s", visitor->host, visitor->port,
                  *ret_why);
        *ret_why = NULL;
        return 0;
    }
    if (err != 0)
        return err;
    if (request.method == DISTRIBUTOR_POST)
        err = register_node(visitor, request.params);
    else
        err = note_question(visitor, request.key);
    distributor_request_clear(&request);
    return err;
}

/* Returns whether the connection is still there. */
static bool take_frames(struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    const char *frame, *why = NULL;
    size_t len;
    int err = 0;
    while (err == 0 && !visitor->asks) {
        err = frames_next(&visitor->frames, &frame, &len);
        if (err == -EAGAIN)
            return true;
        if (err == 0)
            err = take_frame(visitor, frame, len, &why);
    }
    if (err == 0)
        return true;
    distributor->tally.refused_garbage +=
        err == -EINVAL || err == -EMSGSIZE || err == -EILSEQ || err == -E2BIG;
    visitor_close(visitor, why != NULL ? why : fault_of(err));
    return false;
}

/* Returns whether the connection is still there. */
static bool read_some(struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    ssize_t n = recv(visitor->fd, distributor->buffer, DISTRIBUTOR_READ_MAX, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        visitor->has_input = errno == EINTR;
        return true;
    }
    if (n <= 0) {
        visitor_close(visitor, NULL);
        return false;
    }
    if (frames_add(&visitor->frames, distributor->buffer, (size_t)n) != 0) {
        visitor_close(visitor, strerror(ENOMEM));
        return false;
    }
    return take_frames(visitor);
}

/* --- What it is sent -------------------------------------------------------------------------- */

/* Begin with what it waits for: an answer first, which is as good as any list. */
static bool begin(struct visitor *visitor)
{
    struct snapshot *newest = visitor->distributor->broadcast.newest;
    if (newest == NULL)
        return false;
    visitor->is_answer = visitor->asks && newest->version >= visitor->asked_version;
    if (visitor->is_answer)
        delivery_begin_answer(&visitor->delivery, newest, &visitor->head);
    else if (visitor->is_behind)
        delivery_begin(&visitor->delivery, newest);
    else
        return false;
    return true;
}

static void finish(struct visitor *visitor, uint64_t version, size_t len)
{
    struct distributor *distributor = visitor->distributor;
    distributor->tally.sent_bytes += len;
    laggards_drop(visitor);
    if (visitor->is_answer) {
        distributor->tally.answers++;
        visitor->asks = false;
        broadcast_attend(distributor, visitor); /* it may have more to say */
    } else if (version == distributor->broadcast.newest->version) {
        broadcast_note(distributor, visitor, false);
    }
}

static void send_what_is_due(struct visitor *visitor)
{
    while (visitor->delivery.snapshot != NULL || begin(visitor)) {
        uint64_t version = visitor->delivery.snapshot->version;
        size_t len = visitor->delivery.snapshot->len;
        int err = delivery_go_on(&visitor->delivery, visitor->fd);
        if (err == -EAGAIN) {
            visitor->is_blocked = true;
            laggards_add(visitor);
            return;
        }
        if (err != 0) {
            visitor_close(visitor, NULL);
            return;
        }
        finish(visitor, version, len);
    }
}

void visitor_attend(struct visitor *visitor)
{
    struct distributor *distributor = visitor->distributor;
    if (!visitor->asks && !take_frames(visitor))
        return;
    if (visitor->has_input && !visitor->asks) {
        if (!read_some(visitor))
            return;
        if (visitor->has_input && !visitor->asks)
            broadcast_attend(distributor, visitor);
    }
    if (!visitor->is_blocked)
        send_what_is_due(visitor);
}

bool visitor_update(struct visitor *visitor)
{
    if (visitor->node.text != NULL)
        broadcast_note(visitor->distributor, visitor, true);
    return (visitor->is_behind || visitor->asks) && !visitor->is_blocked;
}

/* --- Its life --------------------------------------------------------------------------------- */

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct visitor *visitor = arg;
    (void)fd;
    if ((what & EV_READ) != 0)
        visitor->has_input = true;
    if ((what & EV_WRITE) != 0)
        visitor->is_blocked = false;
    visitor_attend(visitor);
}

int visitor_open(struct distributor *distributor, int fd, const struct address *peer)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return -ENOMEM;
    visitor->distributor = distributor;
    visitor->fd = fd;
    visitor->frames.max = distributor->max_frame_bytes;
    address_format_host(peer, visitor->host);
    visitor->port = (in_port_t)address_port(peer);
    /* Edge-triggered, and registered once: a list that goes to all costs no epoll_ctl(2). */
    visitor->event = event_new(distributor->base, fd, EV_READ | EV_WRITE | EV_PERSIST | EV_ET,
                               on_event, visitor);
    if (visitor->event == NULL || event_add(visitor->event, NULL) != 0) {
        if (visitor->event != NULL)
            event_free(visitor->event);
        free(visitor);
        return -ENOMEM;
    }
    TAILQ_INSERT_TAIL(&distributor->guests, visitor, place);
    distributor->n_connections++;
    distributor->tally.connections++;
    return 0;
}

void visitor_address(const struct visitor *visitor, struct address *ret_address)
{
    ret_address->len = sizeof ret_address->storage;
    if (getpeername(visitor->fd, (struct sockaddr *)&ret_address->storage, &ret_address->len) != 0)
        ret_address->storage.ss_family = AF_UNSPEC;
}
