#include "config.h"

#include "control/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/answer.h"
#include "control/server.h"
#include "control/server_state.h"
#include "control/connection.h"

/* The longest text of a failure. */
#define TEXT_SIZE 1024

struct control_request *control_request_new(struct control_connection *connection,
                                            const struct control_request_line *line)
{
    struct control_request *request = malloc(sizeof *request);
    if (request == NULL)
        return NULL;
    *request = (struct control_request){.connection = connection, .line = *line};
    TAILQ_INSERT_TAIL(&connection->requests, request, link);
    connection->n_requests++;
    return request;
}

void control_request_free(struct control_request *request)
{
    json_decref(request->line.arguments);
    free(request);
}

const struct control_peer *control_peer(const struct control_request *request)
{
    return &request->connection->peer;
}

void control_request_yields(struct control_request *request)
{
    request->yields = true;
}

void control_progress(struct control_request *request, unsigned done, unsigned total,
                      const char *text)
{
    control_connection_send(request->connection,
                            control_answer_progress(request->line.id, done, total, text));
}

void control_send(struct control_request *request, const char *key, json_t *value)
{
    if (value != NULL)
        control_connection_send(request->connection,
                                control_answer_piece(request->line.id, key, value));
}

/* Send the last line, and forget the request. */
static void finish(struct control_request *request, json_t *answer)
{
    struct control_connection *connection = request->connection;
    TAILQ_REMOVE(&connection->requests, request, link);
    connection->n_requests--;
    control_connection_send(connection, answer);
    control_request_free(request);
}

void control_succeed(struct control_request *request, const char *text, json_t *result)
{
    finish(request, control_answer_success(request->line.id, text, result));
}

void control_fail(struct control_request *request, enum control_error error, const char *format,
                  ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    finish(request, control_answer_failure(request->line.id, error, text));
}
