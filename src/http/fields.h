/*
 * Header fields written into a buffer as they are sent, each line ended by CRLF.
 */
#ifndef ZOMBIE_HTTP_FIELDS_H
#define ZOMBIE_HTTP_FIELDS_H

#include "base/bytes.h"
#include "http/slice.h"

struct conf_list;

/* Add one; neither part has a line break. */
void fields_add(struct bytes *out, struct slice name, struct slice value);

/* Add those of a CONF_FIELDS list: texts "Name: value", each one checked. */
void fields_add_list(struct bytes *out, const struct conf_list *fields);

#endif
