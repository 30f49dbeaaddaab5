#include "config.h"

#include "http/fields.h"

#include "conf/option.h"

void fields_add(struct bytes *out, struct slice name, struct slice value)
{
    bytes_add(out, name.at, name.len);
    bytes_add(out, ": ", 2);
    bytes_add(out, value.at, value.len);
    bytes_add(out, "\r\n", 2);
}

void fields_add_list(struct bytes *out, const struct conf_list *fields)
{
    for (size_t i = 0; i < fields->n; i++) {
        bytes_add_text(out, fields->items[i]);
        bytes_add(out, "\r\n", 2);
    }
}
