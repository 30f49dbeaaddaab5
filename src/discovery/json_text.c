#include "config.h"

#include "discovery/json_text.h"

#include <stdbool.h>

static bool is_small(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n <= JSON_TEXT_VALUES_MAX; i++)
        n += text[i] == ',' || text[i] == '{' || text[i] == '[';
    return n <= JSON_TEXT_VALUES_MAX;
}

json_t *json_text_read(const char *text, size_t len, size_t flags)
{
    return is_small(text, len) ? json_loadb(text, len, flags, NULL) : NULL;
}
