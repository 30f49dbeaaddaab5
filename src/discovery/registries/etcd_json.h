/*
 * How the gateway of etcd writes what JSON has no type for: 64-bit numbers are texts, bytes
 * are base64. A zero, or no bytes, may be missing altogether.
 */
#ifndef ZOMBIE_DISCOVERY_ETCD_JSON_H
#define ZOMBIE_DISCOVERY_ETCD_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Set a number from 0 on; 0 when it is missing. Returns 0, or -EINVAL: it is something else. */
__attribute__((warn_unused_result)) int etcd_json_number(const json_t *object, const char *key,
                                                         int64_t *ret_number);

/* Set bytes, allocated, with a NUL beyond them; none when they are missing. Returns 0, -EINVAL or
 * -ENOMEM. */
__attribute__((warn_unused_result)) int etcd_json_bytes(const json_t *object, const char *key,
                                                        char **ret_data, size_t *ret_len);

/* The bytes of a text as a JSON string; NULL: out of memory. */
json_t *etcd_json_base64(const char *text);

/* A number as a JSON string; NULL: out of memory. */
json_t *etcd_json_text(int64_t number);

#endif
