#include "config.h"

#include "cluster/control_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/commands.h"
#include "cluster/generation.h"
#include "cluster/listener.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/operation.h"
#include "cluster/reload.h"
#include "cluster/upgrade.h"

/* How often something is looked at that nothing but the clock tells of: followed logs, deadlines.
 */
#define LOOK_MS 200

/* What clients have not read of their last answer when the master ends. */
#define FAREWELL_MS 200

/* Orders go on when who gave them is gone, so the server's own limits do not bound them. */
#define OPERATIONS_MAX 1024

struct control_link {
    struct master *master;
    struct control_server *server;
    TAILQ_HEAD(operations, operation) operations;
    size_t n; /* of them */
};

static void drop(struct control_link *link, struct operation *operation)
{
    TAILQ_REMOVE(&link->operations, operation, entry);
    link->n--;
    free(operation);
}

static void on_request(struct control_request *request, const char *name, const json_t *arguments,
                       void *arg)
{
    struct control_link *link = arg;
    struct operation *operation = link->n < OPERATIONS_MAX ? calloc(1, sizeof *operation) : NULL;
    if (operation == NULL) {
        control_fail(request, CONTROL_TOO_MANY, "too much is under way already");
        return;
    }
    *operation = (struct operation){.master = link->master,
                                    .request = request,
                                    .by_admin = control_peer(request)->is_admin,
                                    .began_us = clock_now_us(),
                                    .deadline_ms = INT64_MAX};
    if (commands_understand(operation, name, arguments) == OPERATION_OVER) {
        free(operation);
        return;
    }
    if (operation->command->only_tells)
        control_request_yields(request);
    TAILQ_INSERT_TAIL(&link->operations, operation, entry);
    link->n++;
}

static void on_dropped(struct control_request *request, void *arg)
{
    struct control_link *link = arg;
    struct operation *operation = TAILQ_FIRST(&link->operations);
    while (operation != NULL && operation->request != request)
        operation = TAILQ_NEXT(operation, entry);
    if (operation != NULL)
        operation->request = NULL; /* an order holds all the same */
}

int control_link_new(struct master *master)
{
    struct control_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return -ENOMEM;
    link->master = master;
    TAILQ_INIT(&link->operations);
    struct control_server_settings settings = {
        .base = master->base, .request = on_request, .dropped = on_dropped, .arg = link};
    int err = control_server_new(&settings, &link->server);
    if (err != 0) {
        free(link);
        return err;
    }
    master->control = link;
    return 0;
}

void control_link_listen(struct master *master)
{
    const struct listener *listener = listeners_at(master->current->listeners[PURPOSE_CONTROL], 0);
    int fd = listener != NULL && listener_count(listener) > 0 ? listener_fd(listener, 0) : -1;
    int err = control_server_listen(master->control->server, fd);
    if (err != 0)
        log_warning("zombiectl is not heard: %s", strerror(-err));
}

int control_link_pair(struct control_link *link, int *ret_fd)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return -errno;
    int err = control_server_adopt(link->server, fds[0]);
    if (err != 0) {
        close(fds[0]);
        close(fds[1]);
        return err;
    }
    *ret_fd = fds[1];
    return 0;
}

/* Whether what it must wait for is over. */
static bool may_begin(const struct operation *operation)
{
    const struct master *master = operation->master;
    return operation->command->patience != COMMAND_WITHOUT_CHANGES ||
           master->phase != MASTER_RUNNING ||
           !(reload_is_active(master) || upgrade_is_active(master) || master->waiting != 0);
}

static enum operation_state begin(struct operation *operation, int64_t now_ms)
{
    const struct command *command = operation->command;
    if (command->patience != COMMAND_AT_ONCE && operation->master->phase != MASTER_RUNNING)
        return operation_fail(operation, CONTROL_REFUSED, "the instance stops");
    if (!may_begin(operation)) {
        if (!operation->waits && operation->request != NULL)
            control_progress(operation->request, 0, 0, "waits until what is under way is over");
        operation->waits = true;
        return OPERATION_GOES_ON;
    }
    operation->begun = true;
    return command->begin(operation, now_ms);
}

static enum operation_state take_turn(struct operation *operation, int64_t now_ms)
{
    if (operation->request == NULL && operation->command->only_tells)
        return OPERATION_OVER;
    if (!operation->begun)
        return begin(operation, now_ms);
    return operation->command->go_on != NULL ? operation->command->go_on(operation, now_ms)
                                             : OPERATION_GOES_ON;
}

void control_link_step(struct master *master, int64_t now_ms)
{
    struct control_link *link = master->control;
    struct operation *next;
    for (struct operation *operation = TAILQ_FIRST(&link->operations); operation != NULL;
         operation = next) {
        next = TAILQ_NEXT(operation, entry);
        if (take_turn(operation, now_ms) == OPERATION_OVER)
            drop(link, operation);
    }
}

int64_t control_link_due_ms(const struct master *master, int64_t now_ms)
{
    const struct operation *operation = TAILQ_FIRST(&master->control->operations);
    while (operation != NULL && !commands_need_looks(operation))
        operation = TAILQ_NEXT(operation, entry);
    return operation != NULL ? now_ms + LOOK_MS : INT64_MAX;
}

void control_link_free(struct control_link *link)
{
    struct operation *next;
    if (link == NULL)
        return;
    for (struct operation *operation = TAILQ_FIRST(&link->operations); operation != NULL;
         operation = next) {
        next = TAILQ_NEXT(operation, entry);
        commands_conclude(operation);
        drop(link, operation);
    }
    control_server_free(link->server, FAREWELL_MS);
    free(link);
}
