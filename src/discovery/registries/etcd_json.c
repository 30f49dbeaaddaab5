#include "config.h"

#include "discovery/registries/etcd_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "discovery/base64.h"

/* json_string_value() ends at a NUL, which no number has. */
static int parse(const json_t *value, long *ret_number)
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value) ||
        number_parse(text, 0, INT64_MAX, ret_number) < 0)
        return -EINVAL;
    return 0;
}

int etcd_json_number(const json_t *object, const char *key, int64_t *ret_number)
{
    const json_t *value = json_object_get(object, key);
    long number = 0;
    int r = 0;
    if (json_is_integer(value))
        number = (long)json_integer_value(value);
    else if (value != NULL)
        r = parse(value, &number);
    if (r < 0 || number < 0)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

int etcd_json_bytes(const json_t *object, const char *key, char **ret_data, size_t *ret_len)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return base64_decode("", 0, ret_data, ret_len);
    if (!json_is_string(value))
        return -EINVAL;
    return base64_decode(json_string_value(value), json_string_length(value), ret_data, ret_len);
}

json_t *etcd_json_base64(const char *text)
{
    char *encoded = base64_encode(text, strlen(text));
    json_t *value = encoded == NULL ? NULL : json_string(encoded);
    free(encoded);
    return value;
}

json_t *etcd_json_text(int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    return json_string(text);
}
