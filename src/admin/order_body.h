/*
 * The body of an order, {"slot":3}, as the arguments of a command of the control
 * protocol. Whether there is such a slot is for the master to say. Pure.
 */
#ifndef ZOMBIE_ADMIN_ORDER_BODY_H
#define ZOMBIE_ADMIN_ORDER_BODY_H

#include <stddef.h>

#include <jansson.h>

/*
 * Read the body of "restart", "scale" or "kill": one JSON object, or nothing
 * for {}. Returns 0 and a new reference in *ret_arguments; or -EINVAL and what is
 * wrong in *ret_why, a constant; or -ENOMEM, with *ret_why set, too.
 */
__attribute__((warn_unused_result)) int order_body_read(const char *command, const char *body,
                                                        size_t len, json_t **ret_arguments,
                                                        const char **ret_why);

#endif
