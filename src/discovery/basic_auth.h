/*
 * The field by which a client says who it is with a name and a password (RFC 7617).
 */
#ifndef ZOMBIE_DISCOVERY_BASIC_AUTH_H
#define ZOMBIE_DISCOVERY_BASIC_AUTH_H

/* The value of Authorization, to be freed; NULL: out of memory. */
char *basic_auth_value(const char *user, const char *password);

#endif
