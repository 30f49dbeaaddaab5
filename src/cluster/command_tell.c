/* What the instance is and how it fares. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <uuid/uuid.h>

#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/status.h"
#include "conf/load.h"
#include "control/text.h"

static enum operation_state ping(struct operation *operation, int64_t now_ms)
{
    (void)now_ms;
    return operation_succeed(operation, NULL, "pong");
}

static enum operation_state tell_version(struct operation *operation, int64_t now_ms)
{
    const struct master *master = operation->master;
    char uuid[UUID_STR_LEN];
    (void)now_ms;
    uuid_unparse_lower(master->uuid, uuid);
    return operation_succeed(operation,
                             json_pack("{s:s, s:i, s:s}", "version", PACKAGE_VERSION, "pid",
                                       (int)master->pid, "instance", uuid),
                             "%s", "");
}

static enum operation_state tell_status(struct operation *operation, int64_t now_ms)
{
    json_t *status = status_json(operation->master, now_ms);
    if (status == NULL)
        return operation_fail(operation, CONTROL_FAILED, "out of memory");
    return operation_succeed(operation, status, "%s", "");
}

/* What zombie-server -T prints; allocated, NULL when memory is short. */
static char *dump_configuration(const struct conf *conf)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    int err = conf_dump(conf, out);
    if (fclose(out) == 0 && err == 0)
        return text;
    free(text);
    return NULL;
}

static enum operation_state tell_configuration(struct operation *operation, int64_t now_ms)
{
    (void)now_ms;
    char *text = dump_configuration(operation->master->conf);
    json_t *json = text != NULL ? control_text(text) : NULL;
    free(text);
    if (json == NULL)
        return operation_fail(operation, CONTROL_FAILED, "out of memory");
    return operation_succeed(operation, json_pack("{s:o}", "text", json), "%s", "");
}

const struct command command_ping = {
    .name = "ping",
    .arguments = "",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_AT_ONCE,
    .begin = ping,
    .only_tells = true,
};

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_AT_ONCE,
    .begin = tell_version,
    .only_tells = true,
};

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_AT_ONCE,
    .begin = tell_status,
    .only_tells = true,
};

const struct command command_config = {
    .name = "config",
    .arguments = "",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_AT_ONCE,
    .begin = tell_configuration,
    .only_tells = true,
};
