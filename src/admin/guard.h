/*
 * The door of every handler of the admin site: reach.h applied to a request.
 */
#ifndef ZOMBIE_ADMIN_GUARD_H
#define ZOMBIE_ADMIN_GUARD_H

#include <stdbool.h>

#include "admin/reach.h"

struct http_request;

/* Whether the request may go on; if not, it is answered. */
__attribute__((warn_unused_result)) bool guard_admits(struct http_request *request,
                                                      enum reach_need need);

#endif
