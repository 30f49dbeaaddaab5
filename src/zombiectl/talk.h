/*
 * Ask the server and wait for the answer, with the words and the exit status
 * for everything that can come in between.
 */
#ifndef ZOMBIE_ZOMBIECTL_TALK_H
#define ZOMBIE_ZOMBIECTL_TALK_H

#include <stdbool.h>

#include <jansson.h>

struct zombiectl;

/* A line of an answer before its end; returns false when nothing more is wanted. */
typedef bool talk_piece(const json_t *line, void *arg);

/* No limit on the time an answer takes. */
#define TALK_PATIENT 0

/* For what the server answers at once, in milliseconds. */
#define TALK_PROMPT_MS 10000

/* Find the path of the socket: ctl->socket_path. Returns 0, or an exit status and has said why. */
__attribute__((warn_unused_result)) int talk_locate(struct zombiectl *ctl);

/* Locate and connect: ctl->client. Returns 0, or an exit status and has said why. */
__attribute__((warn_unused_result)) int talk_open(struct zombiectl *ctl);

/* Close the connection, if there is one. */
void talk_close(struct zombiectl *ctl);

/* How long nobody may listen on the socket before the server counts as gone. */
#define TALK_GONE_MS 5000

/*
 * The connection has ended: connect to whoever listens now, as the program does that
 * takes the place of an upgraded one, or will within TALK_GONE_MS. As talk_open().
 */
__attribute__((warn_unused_result)) int talk_reopen(struct zombiectl *ctl);

/* Wait for a moment before the next attempt. */
void talk_pause(struct zombiectl *ctl);

/* Say on standard error why control_client_connect() failed with err (-errno); an exit status. */
int talk_explain(const char *path, int err);

/* How a conversation can end. */
enum talk_outcome {
    TALK_ANSWERED, /* *ret_end is the last line; the caller gets the reference */
    TALK_ENOUGH,   /* `piece` wants no more */
    TALK_LOST,     /* the connection has ended before */
    TALK_LATE,     /* nothing was heard for wait_ms */
};

/*
 * Send the command with its arguments (an object or NULL; the reference is
 * taken) and run the loop until the answer ends, or nothing is heard for
 * wait_ms (TALK_PATIENT: however long). `piece` (NULL: nobody cares) gets what
 * comes before the end. Says nothing.
 */
__attribute__((warn_unused_result)) enum talk_outcome
talk_try(struct zombiectl *ctl, const char *command, json_t *arguments, int wait_ms,
         talk_piece *piece, void *arg, json_t **ret_end);

/* Returns 0 for the first two of them, else an exit status and has said why. */
int talk_conclude(enum talk_outcome outcome, int wait_ms);

/*
 * The same; returns 0 and sets *ret_end, which is NULL if `piece` wanted no more;
 * or returns an exit status and has said why.
 */
__attribute__((warn_unused_result)) int talk_ask(struct zombiectl *ctl, const char *command,
                                                 json_t *arguments, int wait_ms, talk_piece *piece,
                                                 void *arg, json_t **ret_end);

/*
 * The same for what is answered at once and must succeed: says why on standard
 * error when "ok" is false and returns the exit status for it. *ret_result is
 * the "result", NULL if none; the caller gets the reference.
 */
__attribute__((warn_unused_result)) int talk_fetch(struct zombiectl *ctl, const char *command,
                                                   json_t *arguments, json_t **ret_result);

/* The exit status for the last line of an answer; says why on standard error if it is not 0. */
int talk_verdict(const json_t *end);

#endif
