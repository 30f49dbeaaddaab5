/*
 * Names that configured hosts may have.
 */
#ifndef ZOMBIE_CONF_HOST_NAME_H
#define ZOMBIE_CONF_HOST_NAME_H

#include <stdbool.h>

/* Whether a Host field (RFC 9110 section 7.2) may say this before its port. */
bool conf_is_host_name(const char *text);

#endif
