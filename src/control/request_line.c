#include "config.h"

#include "control/request_line.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The id of the request, or 0. */
static uint64_t read_id(const json_t *object)
{
    const json_t *id = json_object_get(object, "id");
    json_int_t number = json_is_integer(id) ? json_integer_value(id) : 0;
    return number >= 1 && number <= CONTROL_ID_MAX ? (uint64_t)number : 0;
}

static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return len >= 1 && len <= CONTROL_COMMAND_MAX;
}

static const char *find_fault(const json_t *object, uint64_t id)
{
    const json_t *command = json_object_get(object, "command");
    if (object == NULL)
        return "a request is one JSON object in a line";
    if (!json_is_object(object))
        return "a request is a JSON object";
    if (id == 0)
        return "\"id\" must be a whole number from 1 to 9007199254740991";
    if (!json_is_string(command))
        return "\"command\" must be a text";
    if (!is_name(json_string_value(command), json_string_length(command)))
        return "\"command\" must be a name of 1 to 64 bytes";
    return NULL;
}

int control_request_line_decode(const char *line, size_t len, struct control_request_line *ret_line,
                                struct control_line_refusal *ret_refusal)
{
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    uint64_t id = read_id(object);
    const char *fault = find_fault(object, id);
    if (fault != NULL) {
        json_decref(object);
        *ret_refusal = (struct control_line_refusal){id, fault};
        return -EINVAL;
    }
    const json_t *command = json_object_get(object, "command");
    ret_line->id = id;
    memcpy(ret_line->command, json_string_value(command), json_string_length(command) + 1);
    json_object_del(object, "id");
    json_object_del(object, "command");
    ret_line->arguments = object;
    return 0;
}
