#include "config.h"

#include "control/text.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static json_t *repair(const char *text, size_t len)
{
    struct bytes good = {.at = NULL};
    json_t *repaired = NULL;
    while (len > 0) {
        size_t n = utf8_sequence_length(text, len);
        if (n > 0)
            bytes_add(&good, text, n);
        else
            bytes_add_text(&good, REPLACEMENT);
        n = n > 0 ? n : 1;
        text += n;
        len -= n;
    }
    if (!good.failed)
        repaired = json_stringn(good.at, good.len);
    bytes_free(&good);
    return repaired;
}

static bool is_utf8(const char *text, size_t len)
{
    size_t n = 1;
    for (; len > 0 && n > 0; text += n, len -= n)
        n = utf8_sequence_length(text, len);
    return n > 0;
}

json_t *control_text(const char *bytes)
{
    if (bytes == NULL)
        return json_null();
    size_t len = strlen(bytes);
    return is_utf8(bytes, len) ? json_stringn(bytes, len) : repair(bytes, len);
}

json_t *control_time(int64_t wall_ms)
{
    const struct timespec when = {.tv_sec = wall_ms / 1000, .tv_nsec = wall_ms % 1000 * 1000000};
    char text[CLOCK_ISO8601_SIZE];
    clock_format_iso8601(&when, text);
    return json_string(text);
}
