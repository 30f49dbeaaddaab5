/*
 * One line of a client as a request: a JSON object with an id and a command,
 * judged strictly. Pure.
 */
#ifndef ZOMBIE_CONTROL_REQUEST_LINE_H
#define ZOMBIE_CONTROL_REQUEST_LINE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* 2^53 - 1: what every reader of JSON can hold (RFC 8259 section 6). */
#define CONTROL_ID_MAX 9007199254740991

/* The longest name of a command, in bytes. */
#define CONTROL_COMMAND_MAX 64

struct control_request_line {
    uint64_t id; /* 1..CONTROL_ID_MAX */
    char command[CONTROL_COMMAND_MAX + 1];
    json_t *arguments; /* the members but for id and command; the caller's */
};

/* Why a line is no request. */
struct control_line_refusal {
    uint64_t id;      /* 0: it has none that could be answered */
    const char *text; /* for people; static */
};

/*
 * Decode len bytes, which are one line without its newline. Returns 0, or
 * -EINVAL and sets *ret_refusal.
 */
__attribute__((warn_unused_result)) int
control_request_line_decode(const char *line, size_t len, struct control_request_line *ret_line,
                            struct control_line_refusal *ret_refusal);

#endif
