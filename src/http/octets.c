#include "config.h"

#include "http/octets.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

enum {
    T = OCTET_TOKEN,
    C = OCTET_CONTROL,
    B = OCTET_BLANK,
    U = OCTET_TARGET,
    P = OCTET_TARGET | OCTET_PLAIN,
    H = OCTET_HOST,
    LETTER = T | P | H,
    NUMERAL = LETTER | OCTET_DIGIT | OCTET_HEX,
};

/*
 * Targets leave out what is no text and '#': a fragment is never sent, and one
 * server may cut it off where another does not. Hosts leave out of what RFC 3986
 * allows the comma, by which two Host lines may have been joined, and escapes,
 * which give one name several spellings.
 */
const unsigned char octets_classes[256] = {
    [0x00 ... 0x08] = C,
    ['\t'] = B,
    [0x0a ... 0x1f] = C,
    [' '] = B,
    ['!'] = LETTER,
    ['"'] = P,
    ['#'] = T,
    ['$'] = LETTER,
    ['%'] = T | U,
    ['&' ... '\''] = LETTER,
    ['(' ... ')'] = P | H,
    ['*' ... '+'] = LETTER,
    [','] = P,
    ['-' ... '.'] = LETTER,
    ['/'] = P,
    ['0' ... '9'] = NUMERAL,
    [':'] = P,
    [';'] = P | H,
    ['<'] = P,
    ['='] = P | H,
    ['>'] = P,
    ['?'] = U,
    ['@'] = P,
    ['A' ... 'F'] = LETTER | OCTET_HEX,
    ['G' ... 'Z'] = LETTER,
    ['[' ... ']'] = P,
    ['^'] = T | P,
    ['_'] = LETTER,
    ['`'] = T | P,
    ['a' ... 'f'] = LETTER | OCTET_HEX,
    ['g' ... 'z'] = LETTER,
    ['{'] = P,
    ['|'] = T | P,
    ['}'] = P,
    ['~'] = LETTER,
    [0x7f] = C,
};

unsigned octets_hex_value(char byte)
{
    return byte <= '9' ? (unsigned)(byte - '0') : (unsigned)((byte | 0x20) - 'a') + 10;
}

/*
 * The top bits of the bytes in the word that may be controls. Subtraction
 * borrows from the bytes above only where one has been found below, so none is
 * missed; but HTAB is found as well, and what is above another find may be wrong.
 */
static uint64_t find_controls(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t delete = word ^ (ones * 0x7f);

    return (((word - ones * 0x20) & ~word) | ((delete - ones) & ~delete)) & (ones * 0x80);
}

size_t octets_text(const char *at, size_t len)
{
    size_t n = 0;

    for (; len - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, at + n, sizeof(word));
        for (uint64_t found = find_controls(le64toh(word)); found; found &= found - 1) {
            size_t i = n + (size_t)__builtin_ctzll(found) / 8;

            if (octets_is(at[i], OCTET_CONTROL))
                return i;
        }
    }
    while (n < len && !octets_is(at[n], OCTET_CONTROL))
        n++;
    return n;
}

struct slice octets_trim(struct slice text)
{
    while (text.len > 0 && octets_is(text.at[0], OCTET_BLANK)) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && octets_is(text.at[text.len - 1], OCTET_BLANK))
        text.len--;
    return text;
}

size_t octets_quoted(struct slice text)
{
    if (text.len == 0 || text.at[0] != '"')
        return 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] == '"')
            return i + 1;
        if (text.at[i] == '\\')
            i++;
    }
    return 0;
}

bool octets_next_element(struct slice *list, struct slice *ret_element)
{
    const char *comma;
    struct slice element = *list;

    if (list->len == 0)
        return false;
    comma = memchr(list->at, ',', list->len);
    if (comma)
        element.len = (size_t)(comma - list->at);
    list->at += element.len + (comma != NULL);
    list->len -= element.len + (comma != NULL);
    *ret_element = octets_trim(element);
    return true;
}

int octets_number(struct slice text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (text.len == 0 || octets_span(text.at, text.len, OCTET_DIGIT) != text.len)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.at[i] - '0');

        if (number > ((uint64_t)INT64_MAX - digit) / 10)
            return -ERANGE;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return 0;
}
