/*
 * The body of an order over HTTP, from somebody who has the token. What is
 * taken is a command of the control protocol that cannot be another one, fits
 * into its line and, given again, is taken as the same; what is not has a reason.
 *
 * The first byte says which order it is.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "admin/order_body.h"
#include "control/server.h"

/* What the site takes, and what {"id":..,"command":..} needs beside it. */
#define BODY_MAX 4096
#define AROUND   64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool has(const json_t *arguments, const char *member)
{
    return json_object_get(arguments, member) != NULL;
}

static void check_slot(const json_t *slot)
{
    const char *text = json_string_value(slot);

    check(text != NULL ? strcmp(text, "admin") == 0 : json_integer_value(slot) > 0);
}

static void check_restart(const json_t *arguments)
{
    check(json_object_size(arguments) <= 1);
    if (json_object_size(arguments) == 1)
        check_slot(json_object_get(arguments, "slot"));
}

static void check_scale(const json_t *arguments)
{
    check(json_object_size(arguments) == 1);
    check(json_is_integer(json_object_get(arguments, has(arguments, "to") ? "to" : "by")));
}

static void check_kill(const json_t *arguments)
{
    check(json_object_size(arguments) == 3);
    check_slot(json_object_get(arguments, "slot"));
    check(json_string_length(json_object_get(arguments, "signal")) > 0);
    check(json_is_true(json_object_get(arguments, "chaos")));
}

static const struct {
    const char *command;
    void (*check)(const json_t *arguments);
} orders[] = {{"restart", check_restart}, {"scale", check_scale}, {"kill", check_kill}};

/* The text of what the body says, or NULL. */
static char *read_body(size_t order, const char *body, size_t len, json_t **ret_arguments)
{
    const char *why = NULL;
    int r = order_body_read(orders[order].command, body, len, ret_arguments, &why);

    if (r == 0)
        return json_dumps(*ret_arguments, JSON_COMPACT | JSON_SORT_KEYS);
    check(r == -EINVAL && why != NULL && why[0] != '\0');
    return NULL;
}

static void check_body(size_t order, const char *body, size_t len)
{
    json_t *arguments, *again;
    char *text = read_body(order, body, len, &arguments);

    if (text == NULL)
        return;
    orders[order].check(arguments);
    check(len > BODY_MAX || strlen(text) + AROUND <= CONTROL_LINE_MAX);
    (void)json_object_del(arguments, "chaos"); /* which nobody can ask for */
    char *given = json_dumps(arguments, JSON_COMPACT);
    char *same = read_body(order, given, strlen(given), &again);
    check(same != NULL && strcmp(same, text) == 0);
    json_decref(arguments);
    json_decref(again);
    free(given);
    free(same);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = size > 0 ? size - 1 : 0;
    char *body = calloc(len > 0 ? len : 1, 1); /* without a byte behind it */

    check(body != NULL);
    if (len > 0)
        memcpy(body, data + 1, len);
    if (size > 0)
        check_body(data[0] % (sizeof orders / sizeof orders[0]), body, len);
    free(body);
    return 0;
}
