#include "config.h"

#include "herald/check.h"

#include "conf/conf.h"

/* Parts of the interval by which probes are spread. */
#define SPREAD 10

void check_init(struct check *check, const struct conf_check_rule *rule, bool healthy, double dice,
                int64_t now_ms)
{
    int64_t wait_ms = (int64_t)((double)rule->interval_ms / SPREAD * dice);
    *check = (struct check){.healthy = healthy, .due_ms = now_ms + wait_ms};
}

void check_begin(struct check *check, const struct conf_check_rule *rule, int64_t now_ms)
{
    check->running = true;
    check->began_ms = now_ms;
    check->due_ms = now_ms + rule->timeout_ms;
}

bool check_end(struct check *check, const struct conf_check_rule *rule, bool passed, double dice,
               int64_t now_ms)
{
    long needed = check->healthy ? rule->fall : rule->rise;
    double jitter = (double)rule->interval_ms / SPREAD * (2 * dice - 1);
    int64_t next_ms = check->began_ms + rule->interval_ms + (int64_t)jitter;
    check->running = false;
    check->due_ms = next_ms > now_ms ? next_ms : now_ms;
    check->streak = passed == check->healthy ? 0 : check->streak + 1;
    if (check->streak < (unsigned long)needed)
        return false;
    check->healthy = !check->healthy;
    check->streak = 0;
    return true;
}

bool check_accepts(const struct conf_check_rule *rule, int status)
{
    return status >= rule->status_min && status <= rule->status_max;
}
