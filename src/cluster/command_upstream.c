/* A server of an upstream: out for new requests, or in again. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "conf/conf.h"
#include "conf/upstream.h"
#include "proxy/balancer.h"

_Static_assert(OPERATION_TEXT_SIZE == BALANCER_TITLE_SIZE, "any title can be said");

/* So many names are told to who has said a wrong one. */
#define NAMES_TOLD 8

/* How the addresses that are meant stand, and what there is beside them. */
struct standing {
    unsigned n;
    unsigned n_drained; /* of these */
    uint64_t connections;
    const char *trouble; /* the state of one that is not up; NULL: all are */
    unsigned n_others;   /* that nobody has taken out */
};

static struct standing look(struct balancer_upstream *upstream, const char *server, int64_t now_ms)
{
    static struct balancer_view views[BALANCER_PEERS];
    size_t n = balancer_list(upstream, now_ms, views, BALANCER_PEERS);
    struct standing standing = {.n = 0};
    for (size_t i = 0; i < n; i++) {
        const struct balancer_view *view = &views[i];
        if (strcmp(view->server, server) != 0 && strcmp(view->name, server) != 0) {
            standing.n_others += !view->is_drained && view->state != PEER_DOWN;
            continue;
        }
        standing.n++;
        standing.n_drained += view->is_drained;
        standing.connections += view->connections;
        if (view->state != PEER_UP)
            standing.trouble = peer_state_name(view->state);
    }
    return standing;
}

/* --- What is wrong, and what would be right ---------------------------------- */

static void add_name(struct bytes *names, size_t i, const char *name)
{
    if (i < NAMES_TOLD)
        bytes_add_text(names, i == 0 ? "" : ", ");
    if (i <= NAMES_TOLD)
        bytes_add_text(names, i < NAMES_TOLD ? name : ", ...");
}

/* `what` is the key of the argument; takes the names. */
static enum operation_state refuse(struct operation *operation, const char *what, const char *name,
                                   struct bytes *names)
{
    enum operation_state state;
    if (names->failed || names->len == 0)
        state = operation_fail(operation, CONTROL_BAD_ARGUMENT, "there is no %s", what);
    else if (name[0] == '\0')
        state = operation_fail(operation, CONTROL_BAD_ARGUMENT, "which %s? There are: %s", what,
                               names->at);
    else
        state = operation_fail(operation, CONTROL_BAD_ARGUMENT,
                               "there is no %s '%.60s'; there are: %s", what, name, names->at);
    bytes_free(names);
    return state;
}

static enum operation_state refuse_upstream(struct operation *operation)
{
    const struct conf *conf = operation->master->conf;
    struct bytes names = {.at = NULL};
    for (size_t i = 0; i < conf->n_upstreams; i++)
        add_name(&names, i, conf->upstreams[i].title);
    return refuse(operation, "upstream", operation->arguments.upstream, &names);
}

/* Those of the configuration first, then those that a registry has named. */
static void add_servers(struct bytes *names, const struct conf_upstream *upstream,
                        struct balancer_upstream *shared, int64_t now_ms)
{
    static struct balancer_view views[BALANCER_PEERS];
    size_t n_views = balancer_list(shared, now_ms, views, BALANCER_PEERS), n = 0;
    for (size_t i = 0; i < upstream->n_servers; i++)
        add_name(names, n++, upstream->servers[i].title);
    for (size_t i = 0; i < n_views; i++)
        if (views[i].is_found)
            add_name(names, n++, views[i].server);
}

static enum operation_state refuse_server(struct operation *operation,
                                          struct balancer_upstream *shared, int64_t now_ms)
{
    const struct conf_upstream *upstream =
        conf_upstream_find(operation->master->conf, operation->arguments.upstream);
    struct bytes names = {.at = NULL};
    if (upstream != NULL)
        add_servers(&names, upstream, shared, now_ms);
    return refuse(operation, "server", operation->arguments.server, &names);
}

/* --- The orders ---------------------------------------------------------------- */

static void note(const struct operation *operation, const char *what)
{
    const struct command_arguments *said = &operation->arguments;
    log_info("server %s of upstream %s is %s, as ordered", said->server, said->upstream, what);
    chronicle(operation->master, JOURNAL_UPSTREAM, NULL, "server %s of %s is %s", said->server,
              said->upstream, what);
}

/*
 * Tell the balancer, unless that is how it stands. The master never waits: without the
 * lock nothing is done, and it is tried again at the next look. Returns what the balancer does.
 */
static int change(struct operation *operation, struct balancer_upstream *upstream, bool is_drained,
                  const struct standing *before, int64_t now_ms)
{
    bool is_so = before->n > 0 && before->n_drained == (is_drained ? before->n : 0);
    int err = balancer_set_drained(upstream, operation->arguments.server, is_drained, now_ms);
    if (err == 0 && !is_so)
        note(operation, is_drained ? "drained" : "undrained");
    return err;
}

static enum operation_state report_drained(struct operation *operation, uint64_t connections)
{
    const struct command_arguments *said = &operation->arguments;
    if (connections == 0)
        return operation_succeed(operation, NULL, "%s of %s is drained, until it is undrained",
                                 said->server, said->upstream);
    return operation_succeed(operation, NULL,
                             "%s of %s is drained, until it is undrained; %" PRIu64 " connection%s",
                             said->server, said->upstream, connections,
                             connections == 1 ? " is still open" : "s are still open");
}

/*
 * `mark` is one more than the most connections that there were; 0: the balancer does not know
 * yet.
 */
static enum operation_state await_connections(struct operation *operation,
                                              struct balancer_upstream *upstream, int64_t now_ms)
{
    const struct command_arguments *said = &operation->arguments;
    struct standing now = look(upstream, said->server, now_ms);
    if (now.n == 0 && operation->mark > 1)
        return operation_fail(operation, CONTROL_FAILED, "%s has no server %s any more",
                              said->upstream, said->server);
    if (now.n_drained < now.n)
        return operation_fail(operation, CONTROL_FAILED, "%s was undrained meanwhile",
                              said->server);
    if (now.connections == 0 || !said->wait)
        return report_drained(operation, now.connections);
    if (operation->mark <= now.connections)
        operation->mark = now.connections + 1;
    unsigned most = (unsigned)operation->mark - 1;
    operation_progress(operation, most - (unsigned)now.connections, most,
                       "%" PRIu64 " connection%s", now.connections,
                       now.connections == 1 ? " is still open" : "s are still open");
    return OPERATION_GOES_ON;
}

/* Whether nobody would be left; one without an address carries nothing. */
static bool is_last(const struct standing *standing)
{
    return standing->n_others == 0 && standing->n_drained < standing->n;
}

static enum operation_state go_on_draining(struct operation *operation, int64_t now_ms)
{
    const struct command_arguments *said = &operation->arguments;
    struct balancer_upstream *upstream = balancer_find(operation->master->balancer, said->upstream);
    if (upstream == NULL)
        return refuse_upstream(operation);
    if (operation->mark > 0)
        return await_connections(operation, upstream, now_ms);
    struct standing before = look(upstream, said->server, now_ms);
    if (is_last(&before))
        return operation_fail(operation, CONTROL_REFUSED,
                              "%s is the last server of %s: undrain another one first",
                              said->server, said->upstream);
    int err = change(operation, upstream, true, &before, now_ms);
    if (err == -EAGAIN)
        return OPERATION_GOES_ON;
    if (err != 0)
        return refuse_server(operation, upstream, now_ms);
    operation->mark = 1;
    return await_connections(operation, upstream, now_ms);
}

static enum operation_state begin_draining(struct operation *operation, int64_t now_ms)
{
    operation->looks = true;
    return go_on_draining(operation, now_ms);
}

static enum operation_state go_on_undraining(struct operation *operation, int64_t now_ms)
{
    const struct command_arguments *said = &operation->arguments;
    struct balancer_upstream *upstream = balancer_find(operation->master->balancer, said->upstream);
    if (upstream == NULL)
        return refuse_upstream(operation);
    struct standing before = look(upstream, said->server, now_ms);
    int err = change(operation, upstream, false, &before, now_ms);
    if (err == -EAGAIN)
        return OPERATION_GOES_ON;
    if (err != 0)
        return refuse_server(operation, upstream, now_ms);
    struct standing now = look(upstream, said->server, now_ms);
    if (now.trouble == NULL)
        return operation_succeed(operation, NULL, "%s of %s gets requests", said->server,
                                 said->upstream);
    return operation_succeed(operation, NULL, "%s of %s is undrained, but %s", said->server,
                             said->upstream, now.trouble);
}

static enum operation_state begin_undraining(struct operation *operation, int64_t now_ms)
{
    operation->looks = true;
    return go_on_undraining(operation, now_ms);
}

const struct command command_upstream_drain = {
    .name = "upstream-drain",
    .arguments = " upstream server wait ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_WHILE_RUNNING,
    .begin = begin_draining,
    .go_on = go_on_draining,
};

const struct command command_upstream_undrain = {
    .name = "upstream-undrain",
    .arguments = " upstream server ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_WHILE_RUNNING,
    .begin = begin_undraining,
    .go_on = go_on_undraining,
};
