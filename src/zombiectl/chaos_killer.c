#include "config.h"

#include "zombiectl/chaos_killer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "control/client.h"
#include "zombiectl/chaos_report.h"
#include "zombiectl/member.h"

/* An order that the server has not answered yet. */
struct order {
    struct chaos_killer *killer;
    uint64_t id; /* 0: this place is free */
    int64_t worker;
};

struct chaos_killer {
    struct chaos_killer_settings settings;
    struct order orders[CHAOS_KILLER_ORDERS_MAX];
};

static struct order *find_free(struct chaos_killer *killer)
{
    for (int i = 0; i < CHAOS_KILLER_ORDERS_MAX; i++) {
        if (killer->orders[i].id == 0)
            return &killer->orders[i];
    }
    return NULL;
}

static bool leaves_enough(const struct chaos_report *report)
{
    return chaos_strength_count(&report->strength) - 1 >= report->options->min_serving;
}

/* The server says no; unless the worker is gone all the same. */
static void note_failure(struct chaos_report *report, int64_t worker, const char *text)
{
    if (!chaos_strength_spare(&report->strength, worker, clock_now_us()))
        return;
    report->sent--;
    if (report->failed++ == 0)
        (void)snprintf(report->failure, sizeof(report->failure), "%.200s", text);
}

static void on_answer(const json_t *line, bool is_last, void *arg)
{
    struct order *order = arg;
    struct chaos_killer *killer = order->killer;

    if (!is_last)
        return;
    order->id = 0;
    if (line == NULL)
        killer->settings.disconnected(killer->settings.arg);
    else if (!member_is_true(line, "ok"))
        note_failure(killer->settings.report, order->worker, member_text(line, "text", ""));
}

int chaos_killer_new(const struct chaos_killer_settings *settings, struct chaos_killer **ret_killer)
{
    struct chaos_killer *killer = calloc(1, sizeof(*killer));

    if (killer == NULL)
        return -ENOMEM;
    killer->settings = *settings;
    for (int i = 0; i < CHAOS_KILLER_ORDERS_MAX; i++)
        killer->orders[i].killer = killer;
    *ret_killer = killer;
    return 0;
}

static void give(struct chaos_killer *killer, struct order *order, unsigned slot)
{
    const struct chaos_way *way = killer->settings.report->options->way;
    json_t *arguments =
        json_pack("{s:i, s:s, s:b}", "slot", (int)slot, "signal", way->signal, "chaos", 1);

    killer->settings.report->sent++;
    if (arguments != NULL)
        order->id =
            control_client_ask(killer->settings.client, "kill", arguments, on_answer, order);
    if (order->id == 0)
        note_failure(killer->settings.report, order->worker, "it could not be sent");
}

void chaos_killer_kill(struct chaos_killer *killer, unsigned slot)
{
    struct chaos_report *report = killer->settings.report;
    struct order *order = find_free(killer);
    int64_t worker = chaos_strength_in(&report->strength, slot);

    if (order == NULL || killer->settings.client == NULL || worker == 0 || !leaves_enough(report) ||
        chaos_strength_strike(&report->strength, slot, clock_now_us()) != 0) {
        report->held_back++;
        return;
    }
    order->worker = worker;
    give(killer, order, slot);
}

void chaos_killer_use(struct chaos_killer *killer, struct control_client *client)
{
    for (int i = 0; i < CHAOS_KILLER_ORDERS_MAX; i++)
        killer->orders[i].id = 0;
    killer->settings.client = client;
}

void chaos_killer_free(struct chaos_killer *killer)
{
    if (killer == NULL)
        return;
    for (int i = 0; i < CHAOS_KILLER_ORDERS_MAX; i++) {
        if (killer->orders[i].id != 0)
            control_client_forget(killer->settings.client, killer->orders[i].id);
    }
    free(killer);
}
