/*
 * Active checks of one server: when the next probe is due and what results in
 * a row make of its health. Pure: time, dice and results are the caller's.
 *
 *              `fall` failures in a row
 *     HEALTHY -------------------------> UNHEALTHY
 *             <-------------------------
 *              `rise` successes in a row
 */
#ifndef ZOMBIE_HERALD_CHECK_H
#define ZOMBIE_HERALD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct conf_check_rule;

struct check {
    bool healthy;
    bool running;    /* a probe is under way */
    unsigned streak; /* results in a row that speak against `healthy` */
    int64_t began_ms;
    int64_t due_ms; /* of the next probe; while one runs: of its end */
};

/*
 * Begin at now_ms with what was known of the server; one that nobody has checked
 * is healthy. The first probe comes at once for the most part: `dice`, from 0 to
 * below 1, spreads those of many servers over a tenth of the interval.
 */
void check_init(struct check *check, const struct conf_check_rule *rule, bool healthy, double dice,
                int64_t now_ms);

/* A probe begins: it is given up when rule->timeout_ms is over, see due_ms. */
void check_begin(struct check *check, const struct conf_check_rule *rule, int64_t now_ms);

/*
 * It has ended. Sets due_ms to interval_ms after the begin of this one, give or
 * take a tenth by `dice`, and not before now_ms. Returns whether `healthy` has changed.
 */
bool check_end(struct check *check, const struct conf_check_rule *rule, bool passed, double dice,
               int64_t now_ms);

/* Whether the rule takes an answer of this status (below 0: there was none) for a good one. */
bool check_accepts(const struct conf_check_rule *rule, int status);

#endif
