/*
 * JSON texts of bytes that came from anywhere: a JSON text is UTF-8 (RFC 8259
 * section 8.1), the path of a request need not be. And of times.
 */
#ifndef ZOMBIE_CONTROL_TEXT_H
#define ZOMBIE_CONTROL_TEXT_H

#include <stdint.h>

#include <jansson.h>

/*
 * A JSON text in which each byte that belongs to no UTF-8 sequence has become
 * U+FFFD; JSON null for NULL. The caller's; NULL when memory is short.
 */
__attribute__((warn_unused_result)) json_t *control_text(const char *bytes);

/* "2026-11-21T10:00:00.123Z" (RFC 3339) of milliseconds since 1970; NULL when memory is short. */
__attribute__((warn_unused_result)) json_t *control_time(int64_t wall_ms);

#endif
