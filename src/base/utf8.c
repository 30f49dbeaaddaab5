#include "config.h"

#include "base/utf8.h"

/* First bytes, sequence length, and the range of the second byte (RFC 3629 section 4). */
static const struct {
    unsigned char first_min, first_max, length, second_min, second_max;
} forms[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool continues(const unsigned char *bytes, size_t from, size_t length)
{
    for (size_t i = from; i < length; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return false;
    return true;
}

size_t utf8_sequence_length(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (bytes[0] < forms[i].first_min || bytes[0] > forms[i].first_max)
            continue;
        size_t length = forms[i].length;
        if (length == 1)
            return 1;
        if (length > len || bytes[1] < forms[i].second_min || bytes[1] > forms[i].second_max)
            return 0;
        return continues(bytes, 2, length) ? length : 0;
    }
    return 0;
}

bool utf8_is_printable(const char *text, size_t len)
{
    for (size_t n; len > 0; text += n, len -= n) {
        n = utf8_sequence_length(text, len);
        if (n == 0 || (unsigned char)text[0] < ' ' || text[0] == 0x7f)
            return false;
    }
    return true;
}
