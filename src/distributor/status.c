#include "config.h"

#include "distributor/status.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "control/server.h"
#include "control/text.h"
#include "distributor/distributor_state.h"
#include "distributor/door.h"
#include "distributor/snapshot.h"
#include "distributor/visitor.h"

/* Nodes in one line of the answer. */
#define LINE_NODES 64

/* Bytes of nodes after which no more are told: a client that has more to read is cut off. */
#define TOLD_BYTES_MAX (CONTROL_BACKLOG_MAX / 2)

/* How long the last answer waits to be read at the end. */
#define FAREWELL_MS 200

/* A node as the answer has it; of what it said of itself, the part that people look for. */
static json_t *describe(const struct visitor *visitor)
{
    json_t *said = json_loadb(visitor->node.text, visitor->node.len, 0, NULL);
    json_t *node = json_pack("{s:s, s:i, s:O, s:O, s:i, s:o}", "host", visitor->host, "peer_port",
                             (int)visitor->port, "port", json_object_get(said, "port"), "name",
                             json_object_get(said, "name"), "urls",
                             (int)json_array_size(json_object_get(said, "urls")), "since",
                             control_time(visitor->node.since_ms));
    json_decref(said);
    return node;
}

static size_t weigh(const json_t *node)
{
    return 256 + 6 * json_string_length(json_object_get(node, "name"));
}

/* Tell of the nodes in the order of the list. Returns how many were told of. */
static size_t tell_nodes(const struct distributor *distributor, struct control_request *request)
{
    const struct visitor *visitor = TAILQ_FIRST(&distributor->members);
    size_t told = 0, bytes = 0;
    json_t *line = json_array();
    for (; visitor != NULL && bytes < TOLD_BYTES_MAX; visitor = TAILQ_NEXT(visitor, place)) {
        json_t *node = describe(visitor);
        bytes += weigh(node);
        if (json_array_append_new(line, node) != 0)
            break;
        if (++told % LINE_NODES == 0) {
            control_send(request, "nodes", line);
            line = json_array();
        }
    }
    control_send(request, "nodes", line);
    return told;
}

static json_t *count(const struct distributor_tally *tally)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "connections",
                     (json_int_t)tally->connections, "frames", (json_int_t)tally->frames,
                     "broadcasts", (json_int_t)tally->broadcasts, "answers",
                     (json_int_t)tally->answers, "sent_bytes", (json_int_t)tally->sent_bytes,
                     "refused", "network", (json_int_t)tally->refused_network, "full",
                     (json_int_t)tally->refused_full, "garbage", (json_int_t)tally->refused_garbage,
                     "slow", (json_int_t)tally->refused_slow);
}

static json_t *sum_up(const struct distributor *distributor, size_t told)
{
    const struct snapshot *newest = distributor->broadcast.newest;
    char listen[ADDRESS_TEXT_SIZE];
    door_address(distributor, listen);
    return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "version",
                     PACKAGE_VERSION, "pid", (int)getpid(), "listen", listen, "uptime_ms",
                     (json_int_t)(clock_now_ms() - distributor->started_ms), "node_count",
                     (json_int_t)distributor->table.n, "nodes_told", (json_int_t)told, "max_nodes",
                     (json_int_t)distributor->table.max, "open_connections",
                     (json_int_t)distributor->n_connections, "behind",
                     (json_int_t)distributor->broadcast.n_behind, "list_bytes",
                     (json_int_t)(newest != NULL ? newest->len : 0), "counted",
                     count(&distributor->tally));
}

static void on_request(struct control_request *request, const char *command,
                       const json_t *arguments, void *arg)
{
    const struct distributor *distributor = arg;
    (void)arguments;
    if (strcmp(command, "status") != 0) {
        control_fail(request, CONTROL_UNKNOWN_COMMAND, "there is only the command \"status\"");
        return;
    }
    size_t told = tell_nodes(distributor, request);
    control_succeed(request, NULL, sum_up(distributor, told));
}

/* Each request is answered at once. */
static void on_dropped(struct control_request *request, void *arg)
{
    (void)request;
    (void)arg;
}

int status_listen(struct distributor *distributor, int fd)
{
    const struct control_server_settings settings = {.base = distributor->base,
                                                     .request = on_request,
                                                     .dropped = on_dropped,
                                                     .arg = distributor};
    int err = control_server_new(&settings, &distributor->control);
    if (err == 0)
        err = control_server_listen(distributor->control, fd);
    return err;
}

void status_close(struct distributor *distributor)
{
    control_server_free(distributor->control, FAREWELL_MS);
    distributor->control = NULL;
}
