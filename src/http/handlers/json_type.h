/*
 * Whether a Content-Type announces JSON. Pure.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_JSON_TYPE_H
#define ZOMBIE_HTTP_HANDLERS_JSON_TYPE_H

#include <stdbool.h>

/*
 * Whether the value of a Content-Type field (RFC 9110 section 8.3.1) is
 * application/json or application/SOMETHING+json (RFC 6839 section 3.1), with
 * any parameters but a charset other than UTF-8 (RFC 8259 section 8.1). A value
 * that is malformed, or NULL, does not fit.
 */
bool json_type_fits(const char *content_type);

#endif
