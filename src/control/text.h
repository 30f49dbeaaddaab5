/*
 * JSON texts of bytes that came from anywhere: a JSON text is UTF-8 (RFC 8259
 * section 8.1), the path of a request need not be.
 */
#ifndef ZOMBIE_CONTROL_TEXT_H
#define ZOMBIE_CONTROL_TEXT_H

#include <jansson.h>

/*
 * A JSON text in which each byte that belongs to no UTF-8 sequence has become
 * U+FFFD; JSON null for NULL. The caller's; NULL when memory is short.
 */
__attribute__((warn_unused_result)) json_t *control_text(const char *bytes);

#endif
