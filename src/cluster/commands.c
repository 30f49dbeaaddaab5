#include "config.h"

#include "cluster/commands.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log_line.h"
#include "cluster/master_state.h"
#include "cluster/role.h"
#include "conf/signal_name.h"

#define LINES_MAX 1000

enum argument_kind {
    ARGUMENT_BOOL,
    ARGUMENT_NUMBER,
    ARGUMENT_SLOT,
    ARGUMENT_SIGNAL,
    ARGUMENT_LEVEL,
    ARGUMENT_TEXT
};

/* Every key that a command may have; a key means the same in all of them. */
static const struct argument {
    const char *key;
    enum argument_kind kind;
    size_t offset;
    size_t given_offset; /* of the flag that says that it was given; 0: none */
    int64_t min;
    int64_t max;
} arguments[] = {
#define AT(member) offsetof(struct command_arguments, member)
    {"slot", ARGUMENT_SLOT, AT(slot), 0, 0, 0},
    {"to", ARGUMENT_NUMBER, AT(to), AT(has_to), -1000000, 1000000},
    {"by", ARGUMENT_NUMBER, AT(by), AT(has_by), -1000000, 1000000},
    {"signal", ARGUMENT_SIGNAL, AT(signal), 0, 0, 0},
    {"level", ARGUMENT_LEVEL, AT(level), 0, 0, 0},
    {"chaos", ARGUMENT_BOOL, AT(chaos), 0, 0, 0},
    {"fast", ARGUMENT_BOOL, AT(fast), 0, 0, 0},
    {"follow", ARGUMENT_BOOL, AT(follow), 0, 0, 0},
    {"since", ARGUMENT_NUMBER, AT(since), 0, 0, INT64_MAX},
    {"worker", ARGUMENT_NUMBER, AT(worker), AT(has_worker), 0, INT64_MAX},
    {"lines", ARGUMENT_NUMBER, AT(lines), 0, 0, LINES_MAX},
    {"wait", ARGUMENT_BOOL, AT(wait), 0, 0, 0},
    {"upstream", ARGUMENT_TEXT, AT(upstream), 0, 0, 0},
    {"server", ARGUMENT_TEXT, AT(server), 0, 0, 0},
    {"service", ARGUMENT_TEXT, AT(service), 0, 0, 0},
    {"choose", ARGUMENT_TEXT, AT(choose), 0, 0, 0},
    {"key", ARGUMENT_TEXT, AT(key), 0, 0, 0},
#undef AT
};

#define N_ARGUMENTS (sizeof arguments / sizeof arguments[0])

static const struct command *const commands[] = {
    &command_ping,      &command_version,  &command_status,         &command_config,
    &command_events,    &command_logs,     &command_scale,          &command_restart,
    &command_drain,     &command_kill,     &command_upstream_drain, &command_upstream_undrain,
    &command_reload,    &command_upgrade,  &command_stop,           &command_reopen_logs,
    &command_log_level, &command_discover,
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Whether the words, between spaces, have this one. */
static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if (at > words && at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

static const struct argument *find_argument(const struct command *command, const char *key)
{
    for (size_t i = 0; i < N_ARGUMENTS; i++)
        if (strcmp(arguments[i].key, key) == 0)
            return has_word(command->arguments, key) ? &arguments[i] : NULL;
    return NULL;
}

/* All of these return NULL, or what would be right. */

static const char *read_number(const struct argument *argument, const json_t *value, void *ret)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < argument->min || number > argument->max)
        return "a whole number"; /* ... of its range */
    *(int64_t *)ret = number;
    return NULL;
}

static const char *read_slot(const json_t *value, void *ret)
{
    const char *text = json_string_value(value);
    json_int_t number = json_integer_value(value);
    enum role role;
    if (text != NULL && role_find(text, &role) == 0 && role != ROLE_WORKER) {
        *(unsigned *)ret = role_number(role);
        return NULL;
    }
    if (!json_is_integer(value) || number < 1 || number > CONF_WORKERS_MAX)
        return "the number of a slot, \"admin\" or \"herald\"";
    *(unsigned *)ret = (unsigned)number;
    return NULL;
}

static const char *read_signal(const json_t *value, void *ret)
{
    const char *text = json_string_value(value);
    long number;
    if (text == NULL || conf_signal_parse(text, &number) != 0)
        return "the name of a signal, such as \"KILL\"";
    *(int64_t *)ret = number;
    return NULL;
}

static const char *read_level(const json_t *value, void *ret)
{
    const char *text = json_string_value(value);
    enum log_level level;
    if (text == NULL || log_level_find(text, &level) != 0)
        return "\"error\", \"warning\", \"info\" or \"debug\"";
    *(int64_t *)ret = level;
    return NULL;
}

static const char *read_text(const json_t *value, void *ret)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (len < 1 || len >= OPERATION_TEXT_SIZE)
        return "a text of 1 to 263 bytes"; /* OPERATION_TEXT_SIZE - 1 */
    memcpy(ret, text, len + 1);
    return NULL;
}

static const char *read_bool(const json_t *value, void *ret)
{
    if (!json_is_boolean(value))
        return "true or false";
    *(bool *)ret = json_is_true(value);
    return NULL;
}

static const char *read_argument(const struct argument *argument, const json_t *value,
                                 struct command_arguments *read)
{
    void *ret = (char *)read + argument->offset;
    const char *wanted = NULL;
    switch (argument->kind) {
    case ARGUMENT_BOOL:
        wanted = read_bool(value, ret);
        break;
    case ARGUMENT_NUMBER:
        wanted = read_number(argument, value, ret);
        break;
    case ARGUMENT_SLOT:
        wanted = read_slot(value, ret);
        break;
    case ARGUMENT_SIGNAL:
        wanted = read_signal(value, ret);
        break;
    case ARGUMENT_LEVEL:
        wanted = read_level(value, ret);
        break;
    case ARGUMENT_TEXT:
        wanted = read_text(value, ret);
        break;
    }
    if (wanted == NULL && argument->given_offset != 0)
        *(bool *)((char *)read + argument->given_offset) = true;
    return wanted;
}

/* What holds for arguments that are not given; 0 and false for the others, but true for `wait`. */
#define SIGNAL_UNLESS_GIVEN 9 /* SIGKILL */
#define LINES_UNLESS_GIVEN  50
#define LEVEL_UNLESS_GIVEN  (-1)

static enum operation_state refuse(struct operation *operation, const struct argument *argument,
                                   const char *wanted)
{
    char range[64] = "";
    if (argument->kind == ARGUMENT_NUMBER)
        snprintf(range, sizeof range, " from %" PRId64 " to %" PRId64, argument->min,
                 argument->max);
    return operation_fail(operation, CONTROL_BAD_ARGUMENT, "%s of %s must be %s%s", argument->key,
                          operation->command->name, wanted, range);
}

static enum operation_state read_arguments(struct operation *operation, const json_t *object)
{
    const struct command *command = operation->command;
    struct command_arguments read = {.signal = SIGNAL_UNLESS_GIVEN,
                                     .lines = LINES_UNLESS_GIVEN,
                                     .level = LEVEL_UNLESS_GIVEN,
                                     .wait = true};
    const char *key;
    const json_t *value;
    for (void *at = json_object_iter((json_t *)object); at != NULL;
         at = json_object_iter_next((json_t *)object, at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        const struct argument *argument = find_argument(command, key);
        if (argument == NULL)
            return operation_fail(operation, CONTROL_BAD_REQUEST, "%s takes no argument '%.60s'",
                                  command->name, key);
        const char *wanted = read_argument(argument, value, &read);
        if (wanted != NULL)
            return refuse(operation, argument, wanted);
    }
    operation->arguments = read;
    return OPERATION_GOES_ON;
}

enum operation_state commands_understand(struct operation *operation, const char *name,
                                         const json_t *object)
{
    const struct command *command = find_command(name);
    if (command == NULL)
        return operation_fail(operation, CONTROL_UNKNOWN_COMMAND, "there is no command '%.60s'",
                              name);
    operation->command = command;
    if (command->clients == COMMAND_FOR_OPERATORS && operation->by_admin)
        return operation_fail(operation, CONTROL_NOT_ALLOWED, "%s is for zombiectl only", name);
    return read_arguments(operation, object);
}

bool commands_need_looks(const struct operation *operation)
{
    return operation->looks || operation->deadline_ms != INT64_MAX;
}

void commands_conclude(struct operation *operation)
{
    if (operation->request == NULL)
        return;
    if (operation->command->conclude != NULL)
        (void)operation->command->conclude(operation);
    else
        (void)operation_fail(operation, CONTROL_FAILED, "the instance has stopped");
}
