/*
 * What a run of chaos has brought, and the verdict about it.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_REPORT_H
#define ZOMBIE_ZOMBIECTL_CHAOS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "zombiectl/chaos_options.h"
#include "zombiectl/chaos_strength.h"
#include "zombiectl/chaos_tally.h"

struct bytes;

/* Room for a reason, terminating NUL included. */
#define CHAOS_REASON_SIZE 256

struct chaos_report {
    const struct chaos_options *options; /* with the seed that was used */
    int64_t took_ms;                     /* from the first kill's period to the end of the kills */
    uint64_t sent;                       /* kills; the server has not refused them */
    uint64_t held_back;
    uint64_t failed;
    char failure[CHAOS_REASON_SIZE]; /* of the first that failed, in the words of the server */
    struct chaos_tally tally;
    struct chaos_strength strength;
    bool is_full;          /* all serve at the end */
    bool was_interrupted;  /* by the user */
    bool was_disconnected; /* by the server */
    bool was_upgraded;     /* the server, in the middle */
};

/* Why the verdict is FAIL: a sentence for each number from 0; false when there is no such. */
bool chaos_report_reason(const struct chaos_report *report, size_t number,
                         char ret_reason[CHAOS_REASON_SIZE]);

/* What a reader should know besides, in the same way. */
bool chaos_report_note(const struct chaos_report *report, size_t number,
                       char ret_note[CHAOS_REASON_SIZE]);

/* Whether the verdict is PASS. */
bool chaos_report_passes(const struct chaos_report *report);

/* The report as in zombiectl(8); the caller's. NULL when memory is short. */
__attribute__((warn_unused_result)) json_t *chaos_report_json(const struct chaos_report *report);

/* Add the report as a table for people. */
void chaos_report_print(const struct chaos_report *report, struct bytes *out);

#endif
