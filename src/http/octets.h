/*
 * Bytes of HTTP/1 text by class, by table lookup: the tools of the strict
 * parsers of heads and chunks.
 */
#ifndef ZOMBIE_HTTP_OCTETS_H
#define ZOMBIE_HTTP_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/slice.h"

/* Classes, as bits: a byte may be in several. */
enum {
    OCTET_TOKEN = 1,   /* tchar, RFC 9110 section 5.6.2 */
    OCTET_CONTROL = 2, /* below 0x20 or 0x7f, but not HTAB */
    OCTET_BLANK = 4,   /* SP, HTAB */
    OCTET_DIGIT = 8,   /* 0-9 */
    OCTET_HEX = 16,    /* 0-9 a-f A-F */
    OCTET_TARGET = 32, /* may be in a request target */
    OCTET_HOST = 64,   /* may be in a host's name */
    OCTET_PLAIN = 128, /* OCTET_TARGET without '?' and '%' */
};

extern const unsigned char octets_classes[256];

/* Whether a byte is in at least one of `classes`. */
static inline bool octets_is(char byte, unsigned classes)
{
    return (octets_classes[(unsigned char)byte] & classes) != 0;
}

/* The byte, a capital letter of ASCII made small. */
static inline char octets_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* The value of a byte that is OCTET_HEX. */
unsigned octets_hex_value(char byte);

/* How many bytes from the front are in one of `classes`. */
static inline size_t octets_span(const char *at, size_t len, unsigned classes)
{
    size_t n = 0;

    while (n < len && octets_is(at[n], classes))
        n++;
    return n;
}

/* How many bytes from the front are no OCTET_CONTROL: the way to the end of a line, fast. */
size_t octets_text(const char *at, size_t len);

/* The slice without the blanks at both ends. */
struct slice octets_trim(struct slice text);

/* Whether the text is `lower`, which has no capitals, in any case of letters. */
static inline bool octets_match(struct slice text, const char *lower, size_t len)
{
    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (octets_lower(text.at[i]) != lower[i])
            return false;
    }
    return true;
}

/* octets_match() against a literal. */
#define OCTETS_ARE(text, literal) octets_match((text), (literal), sizeof(literal) - 1)

/* Bytes of the quoted string at the front (RFC 9110 section 5.6.4), its quotes included; 0: none.
 */
size_t octets_quoted(struct slice text);

/*
 * Take the next element off the front of a comma-separated list, trimmed; empty
 * elements count (RFC 9110 section 5.6.1). Returns false when the list is used
 * up, which it is at once when it has no bytes.
 */
bool octets_next_element(struct slice *list, struct slice *ret_element);

/*
 * Read a number of decimal digits alone. Returns 0 and sets *ret_number, which
 * is < 2^63; -EINVAL when the text is no such number, the empty text among it;
 * -ERANGE when it is 2^63 or more.
 */
__attribute__((warn_unused_result)) int octets_number(struct slice text, uint64_t *ret_number);

#endif
