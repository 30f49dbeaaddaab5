#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "discovery/registries/payload.h"
#include "discovery/registries/zookeeper_state.h"

/* Nodes that are made for one registration, however many others take away. */
#define STEPS_MAX 64

static void make_node(struct zookeeper_session *session);

/* --- What all have ------------------------------------------------------------------------- */

static void end(struct zookeeper_session *session, enum driver_outcome outcome, const char *why)
{
    zookeeper_task_free(&session->task);
    if (outcome == DRIVER_DONE)
        session->n_losses = 0;
    if (!session->is_over)
        session->settings.done(outcome, why, session->settings.arg);
}

/* End with an error of the server, or begin again when it was one of the connection. */
static void fail(struct zookeeper_session *session, int rc)
{
    if (zookeeper_is_lost(rc))
        session->task.is_wanted = true;
    else
        end(session, zookeeper_outcome(rc), zerror(rc));
}

static bool is_ours(const struct zookeeper_session *session, const struct Stat *stat)
{
    return stat->ephemeralOwner == zoo_client_id(session->handle)->client_id;
}

/* Everybody may read; who has logged in is the only one who may write. */
static struct ACL_vector rights(const struct zookeeper_session *session, struct ACL room[2])
{
    if (!session->is_login)
        return ZOO_OPEN_ACL_UNSAFE;
    room[0] = (struct ACL){.perms = ZOO_PERM_ALL, .id = ZOO_AUTH_IDS};
    room[1] = (struct ACL){.perms = ZOO_PERM_READ, .id = ZOO_ANYONE_ID_UNSAFE};
    return (struct ACL_vector){.count = 2, .data = room};
}

void zookeeper_task_free(struct zookeeper_task *task)
{
    free(task->payload);
    free(task->results);
    task->payload = NULL;
    task->results = NULL;
}

/* --- Register ------------------------------------------------------------------------------ */

/* The value of a node that is ours: also what REPORT does. */
static void on_set(int rc, const struct Stat *stat, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZNONODE || (rc == ZOK && !is_ours(session, stat)))
        end(session, DRIVER_FORGOTTEN, rc == ZOK ? "another session has the node" : zerror(rc));
    else if (rc == ZOK)
        end(session, DRIVER_DONE, "");
    else
        fail(session, rc);
}

static void set_value(struct zookeeper_session *session)
{
    const struct zookeeper_task *task = &session->task;

    (void)zookeeper_sent(session,
                         zoo_aset(session->handle, task->path, task->payload,
                                  (int)strlen(task->payload), -1, on_set, session),
                         ZOOKEEPER_STAT);
}

static void on_replaced(int rc, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZNONODE)
        make_node(session);
    else if (rc == ZOK)
        end(session, DRIVER_DONE, "");
    else
        fail(session, rc);
}

/* In one transaction, so that nobody sees that there is no node. */
static void replace_node(struct zookeeper_session *session)
{
    struct zookeeper_task *task = &session->task;
    struct ACL room[2];
    struct ACL_vector acl = rights(session, room);
    zoo_op_t ops[2];

    free(task->results);
    task->results = calloc(2, sizeof(zoo_op_result_t));
    if (task->results == NULL) {
        end(session, DRIVER_UNREACHABLE, "out of memory");
        return;
    }
    zoo_delete_op_init(&ops[0], task->path, -1);
    zoo_create_op_init(&ops[1], task->path, task->payload, (int)strlen(task->payload), &acl,
                       ZOO_EPHEMERAL, NULL, 0);
    (void)zookeeper_sent(session,
                         zoo_amulti(session->handle, 2, ops, task->results, on_replaced, session),
                         ZOOKEEPER_REPLACED);
}

/* The node is there already: ours, or left by a session before this one, whose end would take it.
 */
static void on_seen(int rc, const struct Stat *stat, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZNONODE)
        make_node(session);
    else if (rc != ZOK)
        fail(session, rc);
    else if (is_ours(session, stat))
        set_value(session);
    else
        replace_node(session);
}

/* Nobody may need rights above what is there: from below upwards until a parent is found. */
static void on_made(int rc, const char *value, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;
    struct zookeeper_task *task = &session->task;
    bool is_last = task->level == zookeeper_levels(task->path);

    (void)value;
    if (!zookeeper_answered(session))
        return;
    if (rc == ZOK && is_last) {
        end(session, DRIVER_DONE, "");
    } else if (rc == ZNODEEXISTS && is_last) {
        (void)zookeeper_sent(session, zoo_aexists(session->handle, task->path, 0, on_seen, session),
                             ZOOKEEPER_STAT);
    } else if (rc == ZOK || rc == ZNODEEXISTS || (rc == ZNONODE && task->level > 1)) {
        task->level += rc == ZNONODE ? -(size_t)1 : 1;
        make_node(session);
    } else {
        fail(session, rc);
    }
}

/* At task->level: a parent without a value, or the instance's own. */
static void make_node(struct zookeeper_session *session)
{
    struct zookeeper_task *task = &session->task;
    size_t len = zookeeper_level_len(task->path, task->level);
    bool is_last = task->path[len] == '\0';
    struct ACL room[2];
    struct ACL_vector acl = rights(session, room);
    char path[ZOOKEEPER_PATH_SIZE];

    if (++task->steps > STEPS_MAX) {
        end(session, DRIVER_UNREACHABLE, "others keep changing the nodes");
        return;
    }
    (void)snprintf(path, sizeof path, "%.*s", (int)len, task->path);
    (void)zookeeper_sent(session,
                         zoo_acreate(session->handle, path, is_last ? task->payload : "",
                                     is_last ? (int)strlen(task->payload) : 0, &acl,
                                     is_last ? ZOO_EPHEMERAL : ZOO_PERSISTENT, on_made, session),
                         ZOOKEEPER_STRING);
}

/* --- The other tasks ----------------------------------------------------------------------- */

static void on_checked(int rc, const struct Stat *stat, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZOK && is_ours(session, stat))
        end(session, DRIVER_DONE, "");
    else if (rc == ZOK || rc == ZNONODE)
        end(session, DRIVER_FORGOTTEN, rc == ZOK ? "another session has the node" : zerror(rc));
    else
        fail(session, rc);
}

static void on_deleted(int rc, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZOK || rc == ZNONODE) {
        session->is_gone = true;
        end(session, DRIVER_DONE, "");
    } else {
        fail(session, rc);
    }
}

/* A node that a successor has made its own is not ours to delete. */
static void on_leaving(int rc, const struct Stat *stat, const void *arg)
{
    struct zookeeper_session *session = (struct zookeeper_session *)arg;

    if (!zookeeper_answered(session))
        return;
    session->is_gone = rc == ZNONODE || rc == ZOK;
    if (rc == ZOK && is_ours(session, stat))
        (void)zookeeper_sent(
            session, zoo_adelete(session->handle, session->task.path, -1, on_deleted, session),
            ZOOKEEPER_VOID);
    else if (rc == ZOK || rc == ZNONODE)
        end(session, DRIVER_DONE, "");
    else
        fail(session, rc);
}

static void ask(struct zookeeper_session *session, stat_completion_t completion)
{
    (void)zookeeper_sent(session,
                         zoo_aexists(session->handle, session->task.path, 0, completion, session),
                         ZOOKEEPER_STAT);
}

/* --- Begin --------------------------------------------------------------------------------- */

static bool prepare(struct zookeeper_session *session)
{
    struct zookeeper_task *task = &session->task;
    const struct driver_settings *settings = &session->settings;
    char name[PAYLOAD_NAME_SIZE];

    zookeeper_task_free(task);
    payload_name(task->record, name);
    if (zookeeper_path(settings->url->path, settings->conf->prefix, task->record->app, name,
                       task->path) < 0) {
        end(session, DRIVER_REJECTED, "the names make no path");
        return false;
    }
    task->level = zookeeper_levels(task->path);
    task->steps = 0;
    if (task->task == DRIVER_REGISTER || task->task == DRIVER_REPORT) {
        task->payload = payload_write(settings->conf, task->record);
        if (task->payload == NULL)
            end(session, DRIVER_UNREACHABLE, "out of memory");
    }
    return task->task == DRIVER_HEARTBEAT || task->task == DRIVER_DEREGISTER ||
           task->payload != NULL;
}

void zookeeper_task_begin(struct zookeeper_session *session)
{
    struct zookeeper_task *task = &session->task;

    if (!task->is_wanted)
        return;
    task->is_wanted = false;
    if (!prepare(session))
        return;
    switch (task->task) {
    case DRIVER_REGISTER:
        make_node(session);
        break;
    case DRIVER_REPORT:
        set_value(session);
        break;
    case DRIVER_DEREGISTER:
        ask(session, on_leaving);
        break;
    default:
        ask(session, on_checked);
    }
}
