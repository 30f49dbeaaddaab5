/*
 * The lines that the control socket answers with, as doc/protocol.md describes.
 */
#ifndef ZOMBIE_CONTROL_ANSWER_H
#define ZOMBIE_CONTROL_ANSWER_H

#include <stdint.h>

#include <jansson.h>

#include "control/server.h"

struct bytes;

/*
 * Each makes one line as a JSON object, the caller's, or NULL when memory is
 * short. References to values are taken in any case; texts may hold any bytes.
 * An id of 0 becomes null.
 */

/* {"id":..,"progress":{"done":..,"total":..},"text":..} */
__attribute__((warn_unused_result)) json_t *
control_answer_progress(uint64_t id, unsigned done, unsigned total, const char *text);

/* {"id":..,KEY:value} */
__attribute__((warn_unused_result)) json_t *control_answer_piece(uint64_t id, const char *key,
                                                                 json_t *value);

/* {"id":..,"ok":true,"text":..,"result":..}; NULL leaves a member out. */
__attribute__((warn_unused_result)) json_t *control_answer_success(uint64_t id, const char *text,
                                                                   json_t *result);

/* {"id":..,"ok":false,"error":..,"text":..} */
__attribute__((warn_unused_result)) json_t *
control_answer_failure(uint64_t id, enum control_error error, const char *text);

/* Append the object (NULL: -ENOMEM) and a newline; its reference is taken. Returns 0 or -ENOMEM;
 * out is then of no more use. */
__attribute__((warn_unused_result)) int control_answer_add(struct bytes *out, json_t *answer);

#endif
