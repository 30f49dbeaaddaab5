#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/fail.h"

/* What a very long file name leaves for saying what is wrong with it. */
#define WHERE_MAX (CONF_ERROR_SIZE / 2)

const char *conf_check_place(const struct conf_source *source, struct conf_name name)
{
    const struct conf_assignment *winner = conf_assignments_winner(source->list, name);

    return winner != NULL ? winner->origin.where : "built-in";
}

int conf_fail(char error[CONF_ERROR_SIZE], const char *where, const char *format, ...)
{
    va_list ap;
    size_t used;

    if (error[0] != '\0')
        return -EINVAL;

    if (where != NULL)
        (void)snprintf(error, CONF_ERROR_SIZE, "%.*s: ", WHERE_MAX, where);
    used = strlen(error);

    va_start(ap, format);
    (void)vsnprintf(error + used, CONF_ERROR_SIZE - used, format, ap);
    va_end(ap);
    return -EINVAL;
}
