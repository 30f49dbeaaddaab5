#include "config.h"

#include "discovery/registries/payload.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/number.h"
#include "discovery/json_text.h"
#include "discovery/registries/traits.h"

/* --- Writing --------------------------------------------------------------------------- */

void payload_name(const struct driver_record *record, char buf[PAYLOAD_NAME_SIZE])
{
    (void)address_join(record->host, record->port, buf, PAYLOAD_NAME_SIZE);
}

/* Whole seconds wherever it can be: readers other than this one know no fractions. */
static json_t *seconds(long ms)
{
    return ms % 1000 == 0 ? json_integer(ms / 1000) : json_real((double)ms / 1000);
}

char *payload_write(const struct conf_registry *conf, const struct driver_record *record)
{
    json_t *payload = json_pack(
        "{s:I, s:I, s:o, s:i, s:s, s:i}", "weight", (json_int_t)conf->weight, "max_fails",
        (json_int_t)conf->max_fails, "fail_timeout", seconds(conf->fail_timeout_ms), "down",
        record->status == DRIVER_UP ? 0 : 1, "host", record->host, "port", (int)record->port);
    char *text = NULL;
    if (payload != NULL &&
        (conf->metadata.n == 0 ||
         json_object_set_new(payload, "metadata", traits_metadata(&conf->metadata)) == 0))
        text = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    return text;
}

/* --- Reading --------------------------------------------------------------------------- */

/* A number of the object if it is there; returns whether it is well. */
static bool take_number(const json_t *object, const char *key, json_int_t min, json_int_t max,
                        uint32_t *number)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max)
        return false;
    *number = (uint32_t)json_integer_value(value);
    return true;
}

static bool take_seconds(const json_t *object, const char *key, uint32_t *ms)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return true;
    double number = json_number_value(value) * 1000;
    if (!json_is_number(value) || !(number >= 1 && number <= MEMBER_FAIL_TIMEOUT_MAX_MS))
        return false;
    *ms = (uint32_t)(number + 0.5);
    return true;
}

static bool take_flag(const json_t *object, const char *key, uint32_t *flag)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_boolean(value)) {
        *flag = json_is_true(value);
        return true;
    }
    return take_number(object, key, 0, 1, flag);
}

static bool take_host(const json_t *object, struct member *member)
{
    const json_t *value = json_object_get(object, "host");
    if (value == NULL)
        return true;
    return json_is_string(value) &&
           member_set_host(member, json_string_value(value), json_string_length(value));
}

static bool take_value(const char *value, size_t len, struct member *member)
{
    if (len == 0)
        return true;
    json_t *object = json_text_read(value, len, JSON_ALLOW_NUL);
    bool is_well = json_is_object(object) &&
                   take_number(object, "weight", 1, MEMBER_WEIGHT_MAX, &member->weight) &&
                   take_number(object, "max_fails", 0, MEMBER_MAX_FAILS_MAX, &member->max_fails) &&
                   take_seconds(object, "fail_timeout", &member->fail_timeout_ms) &&
                   take_flag(object, "down", &member->is_down) && take_host(object, member) &&
                   take_number(object, "port", 1, 65535, &member->port);
    json_decref(object);
    return is_well;
}

/* Host and port of a name, as far as it has them. */
static void take_name(const char *name, size_t len, struct member *member)
{
    const char *colon = memrchr(name, ':', len);
    if (colon == NULL)
        return;
    const char *host = name;
    const char *end = colon;
    if (end - host > 2 && host[0] == '[' && end[-1] == ']') {
        host++;
        end--;
    } else if (memchr(host, ':', (size_t)(end - host)) != NULL) {
        return;
    }
    char digits[6] = "";
    long port = 0;
    size_t n_digits = len - (size_t)(colon + 1 - name);
    if (n_digits >= sizeof(digits) || !member_set_host(member, host, (size_t)(end - host)))
        return;
    memcpy(digits, colon + 1, n_digits);
    if (number_parse(digits, 1, 65535, &port) == 0)
        member->port = (uint32_t)port;
}

int payload_read(const char *name, size_t name_len, const char *value, size_t value_len,
                 struct member *ret_member)
{
    struct member member;
    member_init(&member);
    if (!member_set_id(&member, name, name_len))
        return -EINVAL;
    take_name(name, name_len, &member);
    if (!take_value(value, value_len, &member) || member.host[0] == '\0' || member.port == 0)
        return -EINVAL;
    *ret_member = member;
    return 0;
}
