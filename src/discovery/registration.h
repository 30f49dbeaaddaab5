/*
 * When an instance says what to its registry. Pure: time, dice, outcomes and the state of the
 * instance are the caller's.
 *
 *   IDLE --(a task is due)--> BUSY --(done)--> IDLE     the next one is due at once or later
 *     \                        |                        (heartbeat, back-off, change of status)
 *      +--(leave)--> LEAVING <-+   DOWN is told, then the registry forgets the instance
 *                       |
 *                       v
 *                     CLOSED
 */
#ifndef ZOMBIE_DISCOVERY_REGISTRATION_H
#define ZOMBIE_DISCOVERY_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "discovery/backoff.h"
#include "discovery/driver.h"

struct registration_rule {
    int64_t heartbeat_ms;
    int64_t down_delay_ms; /* so long nobody serves before it counts */
    int64_t denied_ms;     /* between tries while the registry says no */
    struct backoff_rule backoff;
};

struct registration {
    const struct registration_rule *rule;
    bool busy;
    enum driver_task task; /* that runs, or ran last */
    bool is_known;         /* the registry has taken it in this session and not forgotten it */
    bool is_tried;         /* the registry may know it, from a task whose answer was lost, too */
    bool is_leaving;
    bool is_closed;
    enum driver_status wanted;
    enum driver_status told; /* with the task that ran last */
    unsigned failures;       /* in a row */
    int64_t due_ms;          /* of the next task */
    int64_t idle_since_ms;   /* since when nobody serves; INT64_MAX: somebody does */
};

/* What to do with the session after a task: the next task wants the same one, a new one with the
 * same server, or one with the next server of the list. */
enum registration_advice {
    REGISTRATION_GO_ON,
    REGISTRATION_OPEN_AGAIN,
    REGISTRATION_TRY_NEXT_SERVER
};

/* The first task, to register as STARTING, is due at now_ms; the rule must live as long. */
void registration_init(struct registration *registration, const struct registration_rule *rule,
                       int64_t now_ms);

/* How many workers serve now, to be called often enough for down_delay_ms to mean something. */
void registration_set_serving(struct registration *registration, unsigned n, int64_t now_ms);

/*
 * Which task is to begin now, with which status. Returns false when there is none: one runs, or
 * none is due before registration_due_ms().
 */
bool registration_next(struct registration *registration, int64_t now_ms,
                       enum driver_task *ret_task, enum driver_status *ret_status);

/* When to ask registration_next() again; INT64_MAX: after the task that runs, or never. */
int64_t registration_due_ms(const struct registration *registration);

/* The task has ended. `dice` is from 0 to below 1. */
enum registration_advice registration_done(struct registration *registration,
                                           enum driver_outcome outcome, double dice,
                                           int64_t now_ms);

/* The session has ended by itself, in or between tasks: open one with that server or the next. */
enum registration_advice registration_broken(struct registration *registration,
                                             enum driver_outcome outcome, double dice,
                                             int64_t now_ms);

/* The instance stops: say DOWN, and deregister. */
void registration_leave(struct registration *registration, int64_t now_ms);

#endif
