#include "config.h"

#include "control/line.h"

#include <errno.h>
#include <string.h>

int control_lines_add(struct control_lines *lines, const char *data, size_t len)
{
    bytes_take(&lines->bytes, lines->from);
    lines->from = 0;
    bytes_add(&lines->bytes, data, len);
    return lines->bytes.failed ? -ENOMEM : 0;
}

int control_lines_next(struct control_lines *lines, const char **ret_line, size_t *ret_len)
{
    size_t waiting = lines->bytes.len - lines->from;
    size_t looked = waiting < lines->max ? waiting : lines->max;
    if (looked <= lines->seen)
        return looked < lines->max ? -EAGAIN : -EMSGSIZE;
    const char *line = lines->bytes.at + lines->from;
    const char *end = memchr(line + lines->seen, '\n', looked - lines->seen);
    if (end == NULL) {
        lines->seen = looked;
        return looked < lines->max ? -EAGAIN : -EMSGSIZE;
    }
    lines->from += (size_t)(end - line) + 1;
    lines->seen = 0;
    *ret_line = line;
    *ret_len = (size_t)(end - line);
    return 0;
}

void control_lines_free(struct control_lines *lines)
{
    bytes_free(&lines->bytes);
    lines->from = 0;
    lines->seen = 0;
}
