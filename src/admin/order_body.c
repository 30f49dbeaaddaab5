#include "config.h"

#include "admin/order_body.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The longest name of a signal, in bytes: far more than any has, and short enough for a line of
 * the control protocol. */
#define SIGNAL_MAX 32

static bool is_slot(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text != NULL)
        return strcmp(text, "admin") == 0 || strcmp(text, "herald") == 0;
    return json_is_integer(value) && json_integer_value(value) > 0;
}

static bool is_strength(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_signal(const json_t *value)
{
    size_t len = json_string_length(value); /* 0 for what is no text */
    return len > 0 && len <= SIGNAL_MAX;
}

static bool is_change(const json_t *value)
{
    return json_is_integer(value);
}

static const struct {
    const char *command;
    const char *member;
    bool (*is_fit)(const json_t *value);
    const char *why;
} members[] = {
    {"restart", "slot", is_slot, "slot is the number of a slot, \"admin\" or \"herald\""},
    {"scale", "to", is_strength, "to is a whole number, 0 or more"},
    {"scale", "by", is_change, "by is a whole number"},
    {"kill", "slot", is_slot, "slot is the number of a slot, \"admin\" or \"herald\""},
    {"kill", "signal", is_signal, "signal is the name of a signal, such as \"KILL\""},
};

/* Why the member cannot stand there; NULL: it can. */
static const char *judge_member(const char *command, const char *member, const json_t *value)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(members[i].command, command) == 0 && strcmp(members[i].member, member) == 0)
            return members[i].is_fit(value) ? NULL : members[i].why;
    return "the body has a member that this order does not know";
}

static bool has(const json_t *object, const char *member)
{
    return json_object_get(object, member) != NULL;
}

static const char *judge_whole(const char *command, const json_t *object)
{
    if (strcmp(command, "scale") == 0 && has(object, "to") == has(object, "by"))
        return "scale takes either to or by";
    if (strcmp(command, "kill") == 0 && !has(object, "slot"))
        return "kill takes a slot";
    return NULL;
}

static const char *judge(const char *command, json_t *object)
{
    const char *member, *why = NULL;
    json_t *value;
    if (!json_is_object(object))
        return "the body is not a JSON object";
    json_object_foreach(object, member, value)
    {
        if (why == NULL)
            why = judge_member(command, member, value);
    }
    return why != NULL ? why : judge_whole(command, object);
}

static int complete(const char *command, json_t *object)
{
    int err = 0;
    if (strcmp(command, "kill") != 0)
        return 0;
    if (!has(object, "signal"))
        err = json_object_set_new(object, "signal", json_string("KILL"));
    return err == 0 ? json_object_set_new(object, "chaos", json_true()) : err;
}

int order_body_read(const char *command, const char *body, size_t len, json_t **ret_arguments,
                    const char **ret_why)
{
    json_t *object = len > 0 ? json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL) : json_object();
    const char *why = judge(command, object);
    if (why == NULL && complete(command, object) == 0) {
        *ret_arguments = object;
        return 0;
    }
    json_decref(object);
    *ret_why = why != NULL ? why : "out of memory";
    return why != NULL ? -EINVAL : -ENOMEM;
}
