#include "config.h"

#include "zombiectl/visible.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/bytes.h"
#include "base/utf8.h"

/* The character of a sequence whose length utf8_sequence_length() has found. */
static wchar_t decode(const char *text, size_t length)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned value = (unsigned char)text[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        value = value << 6 | ((unsigned char)text[i] & 0x3f);
    return (wchar_t)value;
}

/* Bidirectional controls make a text look like another one. */
static bool turns_direction(wchar_t character)
{
    return character == 0x061c || character == 0x200e || character == 0x200f ||
           (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* So do the two that break lines without being control characters. */
static bool steers(wchar_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || turns_direction(character);
}

static void add_escape(struct bytes *out, unsigned char byte)
{
    char escape[8];

    if (byte == '\n')
        (void)snprintf(escape, sizeof(escape), "\\n");
    else if (byte == '\t')
        (void)snprintf(escape, sizeof(escape), "\\t");
    else
        (void)snprintf(escape, sizeof(escape), "\\x%02x", byte);
    bytes_add_text(out, escape);
}

void visible_clean(struct bytes *out, enum visible_shape shape, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = utf8_sequence_length(text, left);
        bool stays = length > 0 && !steers(decode(text, length));

        if (shape == VISIBLE_LINES && (*text == '\n' || *text == '\t'))
            stays = true;
        if (length == 0)
            length = 1;
        if (stays)
            bytes_add(out, text, length);
        else
            for (size_t i = 0; i < length; i++)
                add_escape(out, (unsigned char)text[i]);
        text += length;
        left -= length;
    }
}

/* Columns of the character that `text` starts with; its length in bytes is *ret_length. */
static size_t measure(const char *text, size_t len, size_t *ret_length)
{
    size_t length = utf8_sequence_length(text, len);
    int width = length > 1 ? wcwidth(decode(text, length)) : 1;

    *ret_length = length > 0 ? length : 1;
    return width < 0 ? 1 : (size_t)width;
}

size_t visible_width(const char *text, size_t len)
{
    size_t width = 0;

    for (size_t at = 0, length; at < len; at += length)
        width += measure(text + at, len - at, &length);
    return width;
}

size_t visible_fit(const char *text, size_t len, size_t columns)
{
    size_t at = 0, width = 0;

    while (at < len) {
        size_t length;

        width += measure(text + at, len - at, &length);
        if (width > columns)
            break;
        at += length;
    }
    return at;
}
