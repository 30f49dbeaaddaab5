/*
 * Content negotiation (RFC 9110 section 12.5): which of the forms we can give
 * does the client like best? Pure functions over header values.
 */
#ifndef ZOMBIE_HTTP_NEGOTIATE_H
#define ZOMBIE_HTTP_NEGOTIATE_H

#include <stddef.h>

/*
 * Index of the best of n offers (media types such as "text/html", best first)
 * for an Accept header; NULL or empty accepts everything. Equal weights go to
 * the earlier offer. When nothing is acceptable the first offer is given, as
 * RFC 9110 section 12.4.1 allows. Parts that make no sense are skipped.
 */
size_t negotiate_type(const char *accept, const char *const *offers, size_t n);

/*
 * The same for Accept-Language and primary language tags such as "en", by
 * basic filtering (RFC 4647 section 3.3.1): the range "ko-KR" counts for "ko".
 */
size_t negotiate_language(const char *accept_language, const char *const *offers, size_t n);

/*
 * The same for Accept-Encoding and content codings such as "br", "gzip" and
 * "identity", but nothing acceptable is possible: then it returns n. "identity"
 * is what clients like least unless they name it, and stays acceptable until
 * they refuse it (RFC 9110 section 12.5.3). NULL and empty accept "identity"
 * alone: section 12.5.3 lets NULL mean anything, but who says nothing can
 * hardly decode anything. "x-gzip" is "gzip" (section 8.4.1.3).
 */
size_t negotiate_encoding(const char *accept_encoding, const char *const *offers, size_t n);

#endif
