/*
 * When an instance says what to its registry, as a script: time, outcomes and the number of
 * workers are given, what is begun is written down.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discovery/registration.h"

#define BEGIN_MS 100000

static const struct registration_rule rule = {
    .heartbeat_ms = 30000,
    .down_delay_ms = 2000,
    .denied_ms = 60000,
    .backoff = {.first_ms = 1000, .max_ms = 30000},
};

static const char *const tasks[DRIVER_TASKS] = {"register", "beat", "report", "deregister"};
static const char *const statuses[DRIVER_STATUSES] = {"STARTING", "UP", "DOWN"};
static const char *const advices[] = {"", "!open", "!next"};

static const struct {
    const char *word;
    enum driver_outcome outcome;
    bool is_broken;
} outcomes[] = {
    {"ok", DRIVER_DONE, false},           {"forgotten", DRIVER_FORGOTTEN, false},
    {"away", DRIVER_UNREACHABLE, false},  {"denied", DRIVER_DENIED, false},
    {"rejected", DRIVER_REJECTED, false}, {"broken", DRIVER_UNREACHABLE, true},
    {"expired", DRIVER_FORGOTTEN, true},  {"locked", DRIVER_DENIED, true},
};

struct play {
    struct registration registration;
    int64_t now_ms;
    double dice;
    char *out;
    size_t size;
};

static void write_down(struct play *play, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_down(struct play *play, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(play->out, play->size, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && (size_t)len < play->size);
    play->out += len;
    play->size -= (size_t)len;
}

static void look(struct play *play)
{
    enum driver_task task;
    enum driver_status status;
    if (registration_next(&play->registration, play->now_ms, &task, &status))
        write_down(play, " %s-%s", tasks[task], statuses[status]);
}

static void finish(struct play *play, const char *word)
{
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strcmp(outcomes[i].word, word) != 0)
            continue;
        write_down(play, "%s",
                   advices[outcomes[i].is_broken
                               ? registration_broken(&play->registration, outcomes[i].outcome,
                                                     play->dice, play->now_ms)
                               : registration_done(&play->registration, outcomes[i].outcome,
                                                   play->dice, play->now_ms)]);
        return;
    }
    fail_msg("what is '%s'?", word);
}

/*
 * "@500": so many ms since the begin; "s2": two workers serve; an outcome; "leave"; "d0.5": the
 * dice; "?": when the next task is due. After each of them is looked what is to be done.
 */
static void act(struct play *play, const char *word)
{
    int64_t due_ms;
    if (word[0] == '@')
        play->now_ms = BEGIN_MS + atol(word + 1);
    else if (word[0] == 's')
        registration_set_serving(&play->registration, (unsigned)atol(word + 1), play->now_ms);
    else if (word[0] == 'd' && word[1] >= '0' && word[1] <= '9')
        play->dice = atof(word + 1);
    else if (strcmp(word, "leave") == 0)
        registration_leave(&play->registration, play->now_ms);
    else if (word[0] == '?') {
        due_ms = registration_due_ms(&play->registration);
        if (due_ms == INT64_MAX)
            write_down(play, " never");
        else
            write_down(play, " %ld", (long)(due_ms - BEGIN_MS));
    } else
        finish(play, word);
    look(play);
    if (play->registration.is_closed && word[0] != '?')
        write_down(play, " closed");
}

static void check(const char *script, const char *wanted)
{
    char copy[512], out[1024] = "", *rest;
    struct play play = {.now_ms = BEGIN_MS, .dice = 1, .out = out, .size = sizeof out};
    registration_init(&play.registration, &rule, BEGIN_MS);
    assert_true(strlen(script) < sizeof copy);
    strcpy(copy, script);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        act(&play, word);
    if (strcmp(out, wanted) != 0)
        fail_msg("%s\n  gives  %s\n  wanted %s", script, out, wanted);
}

static void an_instance_is_registered_and_goes_up_and_down(void **state)
{
    (void)state;
    check("@0 ok ?", " register-STARTING 30000");
    check("@0 ok @100 s1 ok ?", " register-STARTING report-UP 30100");
    /* Who serves at once is UP at once. */
    check("s2 ok", " register-UP");
    check("s2 ok @30000 ok @59999 @60000 ok", " register-UP beat-UP beat-UP");
    /* A change meanwhile is told when the task has ended. */
    check("@0 s1 ok ok", " register-STARTING report-UP");
    check("@0 s1 s0 ok ok ?", " register-STARTING report-UP 30000");
}

static void nobody_serving_counts_when_it_lasts(void **state)
{
    (void)state;
    check("s1 ok @1000 s0 @2999 s0 @3000 s0 ok", " register-UP report-DOWN");
    check("s1 ok @1000 s0 @2000 s1 @2500 s0 @4000 s0 @4500 s0 ok", " register-UP report-DOWN");
    check("s1 ok @1000 s0 @3000 s0 ok @3100 s1 ok", " register-UP report-DOWN report-UP");
    /* STARTING ends with the first worker, not with none of them. */
    check("@0 ok @5000 s0 @9000 s0 ?", " register-STARTING 30000");
}

static void failures_are_waited_for_longer_and_longer(void **state)
{
    (void)state;
    check("@0 away ? @999 @1000 away ? @3000 away ?",
          " register-STARTING!next 1000 register-STARTING!next 3000 register-STARTING!next 7000");
    check("d0 @0 away ?", " register-STARTING!next 100");
    check("d0.5 @0 away ?", " register-STARTING!next 550");
    /* The wait does not grow without end. */
    check("@0 away @1000 away @3000 away @7000 away @15000 away @31000 away ? @61000 away ?",
          " register-STARTING!next register-STARTING!next register-STARTING!next"
          " register-STARTING!next register-STARTING!next register-STARTING!next 61000"
          " register-STARTING!next 91000");
    /* A success makes an end of it. */
    check("@0 away @1000 ok @31000 away ?",
          " register-STARTING!next register-STARTING beat-STARTING!next 32000");
    /* Another server, or the same after a while, knows nothing of the instance. */
    check("s1 ok @30000 away @31000", " register-UP beat-UP!next register-UP");
    /* News wait for the end of a back-off. */
    check("@0 away @10 s1 @999 @1000", " register-STARTING!next register-UP");
}

static void who_is_forgotten_registers_at_once(void **state)
{
    (void)state;
    check("s1 ok @30000 forgotten ok ?", " register-UP beat-UP register-UP 60000");
    check("s1 ok @30000 s0 @32000 s0", " register-UP beat-UP");
    check("@0 ok @10 s1 forgotten ok", " register-STARTING report-UP register-UP");
    /* Who is forgotten whenever it registers does not spin. */
    check("s1 forgotten ? @1000 forgotten ?", " register-UP 1000 register-UP 3000");
    check("s1 ok @30000 forgotten forgotten ?", " register-UP beat-UP register-UP 32000");
}

static void a_registry_that_says_no_is_asked_seldom(void **state)
{
    (void)state;
    check("s1 denied ? @59999 @60000 denied ?", " register-UP 60000 register-UP 120000");
    check("s1 rejected ?", " register-UP 60000");
    check("s1 ok @30000 denied ? @90000 ok", " register-UP beat-UP 90000 register-UP");
}

static void sessions_end_by_themselves(void **state)
{
    (void)state;
    check("s1 ok @100 broken ? @1100 ok", " register-UP!next 1100 register-UP");
    check("s1 broken ?", " register-UP!next 1000");
    check("s1 ok @100 expired ok", " register-UP!open register-UP");
    check("s1 ok @100 expired expired ?", " register-UP!open register-UP!open 2100");
    check("s1 ok @100 locked ?", " register-UP!open 60100");
}

static void who_leaves_says_so(void **state)
{
    (void)state;
    check("s1 ok @100 leave ok ok ?", " register-UP report-DOWN deregister-DOWN closed never");
    check("@0 ok leave ok ok", " register-STARTING report-DOWN deregister-DOWN closed");
    /* What runs is waited for. */
    check("@0 leave ok ok ok", " register-STARTING report-DOWN deregister-DOWN closed");
    check("s1 ok @30000 leave ok ok ok", " register-UP beat-UP report-DOWN deregister-DOWN closed");
    /* Who is DOWN already is not told so again. */
    check("s1 ok @1 s0 @2001 s0 ok leave ok", " register-UP report-DOWN deregister-DOWN closed");
    /* One try of each. */
    check("s1 ok leave away away", " register-UP report-DOWN!next deregister-DOWN!next closed");
    check("s1 ok leave forgotten forgotten", " register-UP report-DOWN deregister-DOWN closed");
    check("s1 ok leave broken denied", " register-UP report-DOWN!next deregister-DOWN closed");
    /* In a back-off the registry may still have it: an answer may have been lost. */
    check("s1 away @10 leave away", " register-UP!next deregister-DOWN!next closed");
    check("s1 ok @30000 away @30010 leave ok", " register-UP beat-UP!next deregister-DOWN closed");
    check("leave ?", " closed never");
    check("s1 ok leave ok @50 s0 s3 ok", " register-UP report-DOWN deregister-DOWN closed");
}

static void waits_are_as_the_rule_says(void **state)
{
    static const struct backoff_rule growing = {.first_ms = 1000, .max_ms = 30000};
    static const struct backoff_rule steady = {.max_ms = 3000, .spread_ms = 600};
    static const struct {
        const struct backoff_rule *rule;
        unsigned failures;
        double dice;
        int64_t wanted_ms;
    } cases[] = {
        {&growing, 1, 0, 100},        {&growing, 1, 0.999999, 999},    {&growing, 2, 0.5, 1100},
        {&growing, 5, 0, 1600},       {&growing, 6, 0, 3000},          {&growing, 7, 0.5, 16500},
        {&growing, 1000, 0.5, 16500}, {&growing, UINT32_MAX, 0, 3000}, {&steady, 1, 0.7, 0},
        {&steady, 2, 0, 2400},        {&steady, 2, 0.5, 3000},         {&steady, 9, 0.999999, 3599},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(backoff_ms(cases[i].rule, cases[i].failures, cases[i].dice),
                         cases[i].wanted_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_is_registered_and_goes_up_and_down),
        cmocka_unit_test(nobody_serving_counts_when_it_lasts),
        cmocka_unit_test(failures_are_waited_for_longer_and_longer),
        cmocka_unit_test(who_is_forgotten_registers_at_once),
        cmocka_unit_test(a_registry_that_says_no_is_asked_seldom),
        cmocka_unit_test(sessions_end_by_themselves),
        cmocka_unit_test(who_leaves_says_so),
        cmocka_unit_test(waits_are_as_the_rule_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
