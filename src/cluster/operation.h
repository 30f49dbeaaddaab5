/*
 * An order under way: what was asked by the control socket and is not answered
 * yet. For the files control_link.c and command*.c.
 */
#ifndef ZOMBIE_CLUSTER_OPERATION_H
#define ZOMBIE_CLUSTER_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "control/server.h"

struct command;
struct master;

/* Room for a text, terminating NUL included; longer ones are refused. */
#define OPERATION_TEXT_SIZE 264

/* The values of an order's arguments, by commands.c; those that were not given are as set there. */
struct command_arguments {
    unsigned slot; /* a number as of role.h; 0: not given */
    int64_t to;
    int64_t by;
    bool has_to;
    bool has_by;
    int64_t signal;
    int64_t level; /* enum log_level */
    bool chaos;
    bool fast;
    bool follow;
    int64_t since;
    int64_t worker;
    bool has_worker;
    int64_t lines;
    bool wait;
    char upstream[OPERATION_TEXT_SIZE]; /* "": not given; so the next ones */
    char server[OPERATION_TEXT_SIZE];
    char service[OPERATION_TEXT_SIZE];
    char choose[OPERATION_TEXT_SIZE];
    char key[OPERATION_TEXT_SIZE];
};

struct operation {
    TAILQ_ENTRY(operation) entry;
    struct master *master;
    struct control_request *request; /* NULL: the asker is gone, the order holds */
    const struct command *command;
    bool by_admin; /* the admin child asks */
    struct command_arguments arguments;
    bool begun;
    bool waits; /* and the asker was told so */
    bool looks; /* it wants turns though nothing may have happened */
    int64_t began_us;
    int64_t deadline_ms; /* INT64_MAX: none */
    uint64_t mark; /* what it began with: a worker, a sequence, a count; as the command likes */
    unsigned slot; /* that it is busy with, 0: none */
    unsigned done; /* as last told */
    unsigned total;
    bool told;
};

/* Whether an operation is over: its request is answered then, and gone. */
enum operation_state { OPERATION_GOES_ON, OPERATION_OVER };

/* What a command needs before it may begin. */
enum command_patience {
    COMMAND_AT_ONCE,         /* also during a stop */
    COMMAND_WHILE_RUNNING,   /* not during a stop */
    COMMAND_WITHOUT_CHANGES, /* waits until no reload and no upgrade is under way */
};

/* Who may give it. */
enum command_clients { COMMAND_FOR_ALL, COMMAND_FOR_OPERATORS };

struct command {
    const char *name;
    const char *arguments; /* their keys, between spaces */
    enum command_clients clients;
    enum command_patience patience;
    /* Begin, and go on at each turn of the loop. */
    enum operation_state (*begin)(struct operation *operation, int64_t now_ms);
    enum operation_state (*go_on)(struct operation *operation, int64_t now_ms); /* NULL: no need */
    bool only_tells; /* pointless once the asker is gone */
    /* What is said when the instance has ended; NULL: that it has failed by that. */
    enum operation_state (*conclude)(struct operation *operation);
};

/* Tell how far it is, if that has changed. */
__attribute__((format(printf, 4, 5))) void operation_progress(struct operation *operation,
                                                              unsigned done, unsigned total,
                                                              const char *format, ...);

/*
 * The end of it, either way; result may be NULL, and its reference is taken. When the asker is gone
 * the log is told instead.
 */
__attribute__((format(printf, 3, 4))) enum operation_state
operation_succeed(struct operation *operation, json_t *result, const char *format, ...);
__attribute__((format(printf, 3, 4))) enum operation_state
operation_fail(struct operation *operation, enum control_error error, const char *format, ...);

#endif
