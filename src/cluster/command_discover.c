/* Who can be asked for a service, as the registry has it. */
#include "config.h"

#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "conf/conf.h"
#include "control/inquiry.h"

static enum operation_state discover(struct operation *operation, int64_t now_ms)
{
    static const enum control_error errors[] = {[INQUIRY_BAD] = CONTROL_BAD_ARGUMENT,
                                                [INQUIRY_UNKNOWN] = CONTROL_BAD_ARGUMENT,
                                                [INQUIRY_NOBODY] = CONTROL_FAILED,
                                                [INQUIRY_FAILED] = CONTROL_FAILED};
    const struct command_arguments *said = &operation->arguments;
    const struct inquiry inquiry = {said->service, said->choose, said->key};
    char why[INQUIRY_WHY_SIZE];
    json_t *json = NULL;
    const struct master *master = operation->master;
    bool is_on = master->conf->registry.type != CONF_REGISTRY_NONE;
    enum inquiry_end end = inquiry_answer(is_on ? master->directory : NULL, &inquiry, &json, why);
    (void)now_ms;
    if (end != INQUIRY_ANSWERED)
        return operation_fail(operation, errors[end], "%s", why);
    return operation_succeed(operation, json, "%s", "");
}

const struct command command_discover = {
    .name = "discover",
    .arguments = " service choose key ",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_AT_ONCE,
    .begin = discover,
    .only_tells = true,
};
