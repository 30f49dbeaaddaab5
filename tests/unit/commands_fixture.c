#include "config.h"

#include "commands_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/commands.h"

__attribute__((format(printf, 3, 4))) void __wrap_control_fail(struct control_request *request,
                                                               enum control_error error,
                                                               const char *format, ...);
void __wrap_control_succeed(struct control_request *request, const char *text, json_t *result);

bool fixture_by_admin;
int fixture_answers;
enum control_error fixture_error;
char fixture_text[400];

void __wrap_control_fail(struct control_request *request, enum control_error error,
                         const char *format, ...)
{
    va_list args;

    assert_non_null(request);
    fixture_answers++;
    fixture_error = error;
    va_start(args, format);
    (void)vsnprintf(fixture_text, sizeof(fixture_text), format, args);
    va_end(args);
}

void __wrap_control_succeed(struct control_request *request, const char *text, json_t *result)
{
    char *dumped = result != NULL ? json_dumps(result, JSON_SORT_KEYS) : NULL;

    assert_non_null(request);
    fixture_answers++;
    fixture_error = CONTROL_ERRORS;
    (void)snprintf(fixture_text, sizeof(fixture_text), "%s%s", text, dumped != NULL ? dumped : "");
    free(dumped);
    json_decref(result);
}

struct operation fixture_ask(const char *command, const json_t *arguments)
{
    static char request; /* of which nobody knows more than where it is */
    struct operation operation = {.request = (struct control_request *)(void *)&request,
                                  .by_admin = fixture_by_admin,
                                  .deadline_ms = INT64_MAX};
    enum operation_state state;

    fixture_answers = 0;
    fixture_error = CONTROL_ERRORS;
    state = commands_understand(&operation, command, arguments);
    assert_int_equal(fixture_answers, state == OPERATION_OVER);
    assert_int_equal(operation.request == NULL, state == OPERATION_OVER);
    return operation;
}

struct operation fixture_ask_text(const char *command, const char *text)
{
    char copy[256];
    struct operation operation;
    json_t *arguments;

    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    arguments = json_loads(copy, 0, NULL);
    assert_non_null(arguments);
    operation = fixture_ask(command, arguments);
    json_decref(arguments);
    return operation;
}

bool fixture_understood(const struct operation *operation)
{
    return operation->request != NULL;
}

int fixture_setup_commands(void **state)
{
    (void)state;
    fixture_by_admin = false;
    return 0;
}
