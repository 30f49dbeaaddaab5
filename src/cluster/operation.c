#include "config.h"

#include "cluster/operation.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

#define TEXT_SIZE 1200

void operation_progress(struct operation *operation, unsigned done, unsigned total,
                        const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    if (operation->told && operation->done == done && operation->total == total)
        return;
    operation->told = true;
    operation->done = done;
    operation->total = total;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (operation->request != NULL)
        control_progress(operation->request, done, total, text);
}

enum operation_state operation_succeed(struct operation *operation, json_t *result,
                                       const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (operation->request == NULL) {
        json_decref(result);
        log_info("%s, whose asker is gone: %s", operation->command->name, text);
        return OPERATION_OVER;
    }
    control_succeed(operation->request, text[0] != '\0' ? text : NULL, result);
    operation->request = NULL;
    return OPERATION_OVER;
}

enum operation_state operation_fail(struct operation *operation, enum control_error error,
                                    const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (operation->request == NULL) {
        log_error("%s, whose asker is gone, failed: %s", operation->command->name, text);
        return OPERATION_OVER;
    }
    control_fail(operation->request, error, "%s", text);
    operation->request = NULL;
    return OPERATION_OVER;
}
