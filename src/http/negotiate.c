#include "config.h"

#include "http/negotiate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* How exactly a range names an offer; the most exact range decides its weight. */
enum exactness { NO_MATCH, ANY, PARTLY, EXACT };

typedef enum exactness (*range_match)(const char *range, size_t len, const char *offer);

static size_t trim(const char **text, size_t len)
{
    while (len > 0 && strchr(" \t", (*text)[0]) != NULL) {
        (*text)++;
        len--;
    }
    while (len > 0 && strchr(" \t", (*text)[len - 1]) != NULL)
        len--;
    return len;
}

/* "0", "0.75", "1.000" in thousandths (RFC 9110 section 12.4.2); -1 for anything else. */
static int parse_weight(const char *text, size_t len)
{
    if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') || (len > 1 && text[1] != '.'))
        return -1;
    int weight = (text[0] - '0') * 1000;
    int unit = 100;
    for (size_t i = 2; i < len; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        weight += (text[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : -1;
}

/* The weight among the parameters ";a=b;q=0.5"; 1000 without one, -1 when it is malformed. */
static int find_weight(const char *parameters, size_t len)
{
    while (len > 0) {
        parameters++; /* the ';' */
        len--;
        const char *end = memchr(parameters, ';', len);
        size_t size = end != NULL ? (size_t)(end - parameters) : len;
        const char *name = parameters;
        size_t name_len = trim(&name, size);
        if (name_len >= 2 && strncasecmp(name, "q=", 2) == 0)
            return parse_weight(name + 2, name_len - 2);
        parameters += size;
        len -= size;
    }
    return 1000;
}

static enum exactness match_type(const char *range, size_t len, const char *offer)
{
    if (len == 3 && strncmp(range, "*/*", 3) == 0)
        return ANY;
    if (len >= 2 && strncmp(range + len - 2, "/*", 2) == 0)
        return strncasecmp(range, offer, len - 1) == 0 ? PARTLY : NO_MATCH;
    return len == strlen(offer) && strncasecmp(range, offer, len) == 0 ? EXACT : NO_MATCH;
}

static enum exactness match_language(const char *range, size_t len, const char *offer)
{
    size_t offer_len = strlen(offer);
    if (len == 1 && range[0] == '*')
        return ANY;
    if (len < offer_len || strncasecmp(range, offer, offer_len) != 0)
        return NO_MATCH;
    if (len == offer_len)
        return EXACT;
    return range[offer_len] == '-' ? PARTLY : NO_MATCH;
}

/* What one element ("text/html;q=0.9") says about the offer. */
static enum exactness judge_element(const char *element, size_t len, const char *offer,
                                    range_match match, int *ret_weight)
{
    const char *semicolon = memchr(element, ';', len);
    const char *range = element;
    size_t range_len = trim(&range, semicolon != NULL ? (size_t)(semicolon - element) : len);
    int weight =
        semicolon != NULL ? find_weight(semicolon, len - (size_t)(semicolon - element)) : 1000;
    if (weight < 0 || range_len == 0)
        return NO_MATCH;
    *ret_weight = weight;
    return match(range, range_len, offer);
}

static enum exactness match_coding(const char *range, size_t len, const char *offer)
{
    if (len == 1 && range[0] == '*')
        return ANY;
    if (len == 6 && strncasecmp(range, "x-gzip", 6) == 0) {
        range += 2;
        len -= 2;
    }
    return len == strlen(offer) && strncasecmp(range, offer, len) == 0 ? EXACT : NO_MATCH;
}

/* The weight of an offer, in thousandths; that of one that is not mentioned is `unmentioned`. */
static int weigh(const char *header, const char *offer, range_match match, int unmentioned)
{
    enum exactness best = NO_MATCH;
    int weight = unmentioned;
    while (*header != '\0') {
        size_t len = strcspn(header, ",");
        int element_weight = 0;
        enum exactness exactness = judge_element(header, len, offer, match, &element_weight);
        if (exactness > best ||
            (exactness == best && exactness != NO_MATCH && element_weight > weight)) {
            best = exactness;
            weight = element_weight;
        }
        header += len + (header[len] == ',');
    }
    return weight;
}

static size_t choose(const char *header, const char *const *offers, size_t n, range_match match)
{
    if (header == NULL)
        return 0;
    size_t best = 0;
    int best_weight = 0;
    for (size_t i = 0; i < n; i++) {
        int weight = weigh(header, offers[i], match, 0);
        if (weight > best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    return best;
}

size_t negotiate_type(const char *accept, const char *const *offers, size_t n)
{
    return choose(accept, offers, n, match_type);
}

size_t negotiate_language(const char *accept_language, const char *const *offers, size_t n)
{
    return choose(accept_language, offers, n, match_language);
}

size_t negotiate_encoding(const char *accept_encoding, const char *const *offers, size_t n)
{
    size_t best = n;
    int best_weight = 0;
    for (size_t i = 0; i < n; i++) {
        int unmentioned = strcmp(offers[i], "identity") == 0 ? 1 : 0;
        int weight = weigh(accept_encoding != NULL ? accept_encoding : "", offers[i], match_coding,
                           unmentioned);
        if (weight > best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    return best;
}
