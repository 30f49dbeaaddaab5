#include "config.h"

#include "http/lines.h"

#include "http/octets.h"

const char *lines_control(char byte)
{
    switch (byte) {
    case '\n':
        return "a line ends with LF alone";
    case '\r':
        return "there is a CR without LF";
    case '\0':
        return "there is a NUL";
    default:
        return "there is a control byte";
    }
}

const char *lines_fault(struct slice line, size_t name_len)
{
    if (name_len == line.len)
        return "a header line has no colon";
    if (octets_is(line.at[name_len], OCTET_BLANK))
        return name_len > 0 ? "there is white space before a colon" : "a header line is folded";
    if (line.at[name_len] == ':')
        return "a header has no name";
    return "a header's name is not a token";
}

void lines_split(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
    size_t name_len = octets_span(line.at, line.len, OCTET_TOKEN);
    struct slice value = {.at = line.at + name_len + 1, .len = line.len - name_len - 1};

    *ret_name = (struct slice){.at = line.at, .len = name_len};
    *ret_value = octets_trim(value);
}

bool lines_next_field(const char *bytes, size_t first, size_t end, size_t *cursor,
                      struct slice *ret_name, struct slice *ret_value)
{
    size_t at = *cursor > 0 ? *cursor : first;
    struct slice line = {.at = bytes + at};

    if (at + 2 >= end)
        return false;
    line.len = octets_text(line.at, end - at);
    lines_split(line, ret_name, ret_value);
    *cursor = at + line.len + 2;
    return true;
}
