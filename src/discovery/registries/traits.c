#include "config.h"

#include "discovery/registries/traits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "conf/registry.h"

/* Room for a number of seconds with three decimals, NUL included. */
#define SECONDS_SIZE 32

static bool set_number(json_t *object, const char *key, long number)
{
    return json_object_set_new(object, key, json_sprintf("%ld", number)) == 0;
}

static bool set_seconds(json_t *object, const char *key, long ms)
{
    bool is_whole = ms % 1000 == 0;
    json_t *value =
        is_whole ? json_sprintf("%ld", ms / 1000) : json_sprintf("%ld.%03ld", ms / 1000, ms % 1000);
    return json_object_set_new(object, key, value) == 0;
}

static bool set_pair(json_t *object, const char *pair)
{
    size_t len = strcspn(pair, "=");
    char *key = strndup(pair, len);
    json_t *value = json_string(pair[len] == '=' ? pair + len + 1 : "");
    bool is_set = key != NULL && json_object_set(object, key, value) == 0;
    json_decref(value);
    free(key);
    return is_set;
}

json_t *traits_metadata(const struct conf_list *metadata)
{
    json_t *object = json_object();
    bool is_made = object != NULL;
    for (size_t i = 0; is_made && i < metadata->n; i++)
        is_made = set_pair(object, metadata->items[i]);
    if (is_made)
        return object;
    json_decref(object);
    return NULL;
}

json_t *traits_make(const struct conf_registry *conf)
{
    json_t *object = traits_metadata(&conf->metadata);
    if (object != NULL && set_number(object, "weight", conf->weight) &&
        set_number(object, "max_fails", conf->max_fails) &&
        set_seconds(object, "fail_timeout", conf->fail_timeout_ms))
        return object;
    json_decref(object);
    return NULL;
}

static void read_number(const json_t *metadata, const char *key, long min, long max,
                        uint32_t *number)
{
    const char *text = json_string_value(json_object_get(metadata, key));
    long value;
    if (text != NULL && number_parse(text, min, max, &value) == 0)
        *number = (uint32_t)value;
}

/* "10", "0.25": a decimal fraction with up to three digits, in ms; else -1. */
static long parse_seconds(const char *text)
{
    char digits[SECONDS_SIZE];
    const char *fraction = strchr(text, '.');
    size_t whole = fraction != NULL ? (size_t)(fraction - text) : strlen(text);
    size_t n = fraction != NULL ? strlen(fraction + 1) : 0;
    long ms;
    if (whole == 0 || whole > SECONDS_SIZE / 2 || n > 3 || (fraction != NULL && n == 0))
        return -1;
    (void)snprintf(digits, sizeof digits, "%.*s%s%.*s", (int)whole, text, n > 0 ? fraction + 1 : "",
                   (int)(3 - n), "000");
    return number_parse(digits, 1, MEMBER_FAIL_TIMEOUT_MAX_MS, &ms) == 0 ? ms : -1;
}

void traits_read(const json_t *metadata, struct member *member)
{
    const char *timeout = json_string_value(json_object_get(metadata, "fail_timeout"));
    long ms = timeout != NULL ? parse_seconds(timeout) : -1;
    read_number(metadata, "weight", 1, MEMBER_WEIGHT_MAX, &member->weight);
    read_number(metadata, "max_fails", 0, MEMBER_MAX_FAILS_MAX, &member->max_fails);
    if (ms > 0)
        member->fail_timeout_ms = (uint32_t)ms;
}
