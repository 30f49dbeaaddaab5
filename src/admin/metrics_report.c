#include "config.h"

#include "admin/metrics_report.h"

#include <stdio.h>

#include <event2/event.h>

#include "admin/metrics_text.h"
#include "conf/conf.h"
#include "http/limits.h"
#include "ipc/scoreboard.h"
#include "life/crew.h"

/* What is added up over the places. */
struct sums {
    struct scoreboard_traffic traffic;
    uint64_t limits[LIMITS];
    int64_t beats_ms[CONF_WORKERS_MAX + 1]; /* the oldest heartbeat by slot; 0: none */
};

static void add_traffic(struct scoreboard_traffic *sum, const struct scoreboard_traffic *one)
{
    for (int code = 0; code < SCOREBOARD_CLASSES; code++)
        for (int method = 0; method < SCOREBOARD_METHODS; method++)
            sum->answers[code][method] += one->answers[code][method];
    for (int i = 0; i <= SCOREBOARD_LATENCY_BOUNDS; i++)
        sum->latency[i] += one->latency[i];
    sum->latency_sum_us += one->latency_sum_us;
    sum->received += one->received;
    sum->sent += one->sent;
    sum->accepted += one->accepted;
}

static void note_beat(struct sums *sums, const struct scoreboard_slot *slot)
{
    struct scoreboard_place place;
    struct scoreboard_work work;
    scoreboard_read_place(slot, &place);
    if (!crew_is_alive(&place))
        return;
    scoreboard_read_work(slot, &work);
    int64_t *oldest_ms = &sums->beats_ms[place.number];
    if (work.heartbeat_ms > 0 && (*oldest_ms == 0 || work.heartbeat_ms < *oldest_ms))
        *oldest_ms = work.heartbeat_ms;
}

static void add_up(const struct scoreboard *scoreboard, struct sums *sums)
{
    for (size_t i = 0; i < scoreboard_size(scoreboard); i++) {
        const struct scoreboard_slot *slot = crew_place(scoreboard, i);
        struct scoreboard_traffic traffic;
        scoreboard_read_traffic(slot, &traffic);
        add_traffic(&sums->traffic, &traffic);
        for (unsigned limit = 0; limit < LIMITS; limit++)
            sums->limits[limit] += scoreboard_read_limit(slot, limit);
        note_beat(sums, slot);
    }
}

static void counter(struct bytes *out, const char *name, const char *help, uint64_t value)
{
    metrics_family(out, name, METRICS_COUNTER, help);
    metrics_number(out, name, NULL, value);
}

static void gauge(struct bytes *out, const char *name, const char *help, uint64_t value)
{
    metrics_family(out, name, METRICS_GAUGE, help);
    metrics_number(out, name, NULL, value);
}

static void one_label(struct bytes *out, const char *name, const char *label, const char *text,
                      uint64_t value)
{
    const struct metrics_label labels[] = {{label, text}, {NULL, NULL}};
    metrics_number(out, name, labels, value);
}

/* Times of different clocks, or of a master that has not written yet, may lie ahead. */
static uint64_t age_us(int64_t now_ms, int64_t then_ms)
{
    return now_ms > then_ms ? (uint64_t)(now_ms - then_ms) * 1000 : 0;
}

static void report_build(struct bytes *out)
{
    static const char name[] = "zombie_build_info";
    const struct metrics_label labels[] = {
        {"version", PACKAGE_VERSION}, {"libevent", event_get_version()}, {NULL, NULL}};
    metrics_family(out, name, METRICS_GAUGE, "Always 1; the labels say what is running.");
    metrics_number(out, name, labels, 1);
}

static void report_condition(struct bytes *out, const struct scoreboard_instance *instance)
{
    static const char name[] = "zombie_condition";
    metrics_family(out, name, METRICS_GAUGE, "What the instance does: 1 for that, 0 for the rest.");
    for (unsigned i = 0; i < SCOREBOARD_CONDITIONS; i++)
        one_label(out, name, "condition", scoreboard_condition_name((enum scoreboard_condition)i),
                  instance->condition == i);
}

static void report_instance(struct bytes *out, const struct scoreboard_instance *instance,
                            const struct metrics_moment *moment)
{
    static const char start[] = "zombie_start_time_seconds",
                      beat[] = "zombie_master_beat_age_seconds";
    metrics_family(out, start, METRICS_GAUGE, "When the instance started, since the epoch.");
    metrics_seconds(out, start, NULL, (uint64_t)(instance->started_ms + moment->epoch_ms) * 1000);
    gauge(out, "zombie_generation", "Which configuration serves; each reload brings the next one.",
          instance->generation);
    counter(out, "zombie_upgrades_total", "Times that a new program took over.",
            instance->upgrades);
    report_condition(out, instance);
    metrics_family(out, beat, METRICS_GAUGE, "How long ago the loop of the master last turned.");
    metrics_seconds(out, beat, NULL, age_us(moment->now_ms, instance->beat_ms));
}

static void report_answers(struct bytes *out, const struct scoreboard_traffic *traffic)
{
    static const char name[] = "zombie_http_requests_total";
    static const char *const methods[SCOREBOARD_METHODS] = {
        [SCOREBOARD_GET] = "GET",         [SCOREBOARD_HEAD] = "HEAD",
        [SCOREBOARD_POST] = "POST",       [SCOREBOARD_PUT] = "PUT",
        [SCOREBOARD_PATCH] = "PATCH",     [SCOREBOARD_DELETE] = "DELETE",
        [SCOREBOARD_OPTIONS] = "OPTIONS", [SCOREBOARD_OTHER] = "other",
    };
    static const char *const classes[SCOREBOARD_CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    metrics_family(out, name, METRICS_COUNTER, "Requests answered, by class of status and method.");
    for (int code = 0; code < SCOREBOARD_CLASSES; code++)
        for (int method = 0; method < SCOREBOARD_METHODS; method++) {
            const struct metrics_label labels[] = {
                {"code", classes[code]}, {"method", methods[method]}, {NULL, NULL}};
            metrics_number(out, name, labels, traffic->answers[code][method]);
        }
}

static void report_durations(struct bytes *out, const struct scoreboard_traffic *traffic)
{
    static const char name[] = "zombie_http_request_duration_seconds";
    const struct metrics_histogram durations = {scoreboard_latency_bounds_us, traffic->latency,
                                                SCOREBOARD_LATENCY_BOUNDS, traffic->latency_sum_us};
    metrics_family(out, name, METRICS_HISTOGRAM,
                   "From the first byte of a request to the last one of its answer.");
    metrics_histogram(out, name, &durations);
}

static void report_limits(struct bytes *out, const uint64_t *hits)
{
    static const char name[] = "zombie_http_limit_hits_total";
    metrics_family(out, name, METRICS_COUNTER, "Limits that clients ran into.");
    for (unsigned limit = LIMIT_NONE + 1; limit < LIMITS; limit++)
        one_label(out, name, "limit", limit_name((enum http_limit)limit), hits[limit]);
}

static void report_http(struct bytes *out, const struct sums *sums, const struct crew *crew)
{
    const struct scoreboard_traffic *traffic = &sums->traffic;
    report_answers(out, traffic);
    report_durations(out, traffic);
    counter(out, "zombie_http_received_bytes_total", "Bytes of all requests.", traffic->received);
    counter(out, "zombie_http_sent_bytes_total", "Bytes of all answers.", traffic->sent);
    gauge(out, "zombie_http_connections", "Connections that are open.", crew->connections);
    counter(out, "zombie_http_connections_accepted_total", "Connections accepted.",
            traffic->accepted);
    report_limits(out, sums->limits);
}

static void report_deaths(struct bytes *out, const struct scoreboard *scoreboard)
{
    static const char name[] = "zombie_worker_deaths_total";
    metrics_family(out, name, METRICS_COUNTER, "Children that ended, by the reason.");
    for (unsigned count = 0; count < SCOREBOARD_COUNTS; count++) {
        const char *reason = scoreboard_death_name((enum scoreboard_count)count);
        if (reason != NULL)
            one_label(out, name, "reason", reason,
                      scoreboard_read_count(scoreboard, (enum scoreboard_count)count));
    }
}

/* None is for what was planned: there the successor comes first. */
static void report_respawns(struct bytes *out, const struct scoreboard *scoreboard)
{
    static const char name[] = "zombie_worker_respawns_total";
    metrics_family(out, name, METRICS_COUNTER,
                   "Children forked in place of one that had died, by the reason of that death.");
    for (unsigned count = SCOREBOARD_DEATHS_RETIRED + 1; count <= SCOREBOARD_DEATHS_KILLED; count++)
        one_label(out, name, "reason", scoreboard_death_name((enum scoreboard_count)count),
                  scoreboard_read_respawns(scoreboard, (enum scoreboard_count)count));
}

static void report_recovery(struct bytes *out, const struct scoreboard *scoreboard)
{
    static const char name[] = "zombie_worker_recovery_seconds";
    uint64_t places[SCOREBOARD_RECOVERY_BOUNDS + 1];
    struct metrics_histogram times = {scoreboard_recovery_bounds_us, places,
                                      SCOREBOARD_RECOVERY_BOUNDS, 0};
    scoreboard_read_recovery(scoreboard, places, &times.sum_us);
    metrics_family(out, name, METRICS_HISTOGRAM,
                   "From a death to the moment when its slot serves again.");
    metrics_histogram(out, name, &times);
}

static void report_beats(struct bytes *out, const int64_t *beats_ms, int64_t now_ms)
{
    static const char name[] = "zombie_worker_heartbeat_age_seconds";
    char slot[16];
    const struct metrics_label labels[] = {{"slot", slot}, {NULL, NULL}};
    metrics_family(out, name, METRICS_GAUGE,
                   "How long ago the worker of the slot last showed life.");
    for (unsigned i = 1; i <= CONF_WORKERS_MAX; i++) {
        if (beats_ms[i] == 0)
            continue;
        snprintf(slot, sizeof slot, "%u", i);
        metrics_seconds(out, name, labels, age_us(now_ms, beats_ms[i]));
    }
}

static void report_workers(struct bytes *out, const struct scoreboard *scoreboard,
                           const struct crew *crew)
{
    gauge(out, "zombie_workers", "Workers that there are to be.", crew->strength);
    gauge(out, "zombie_workers_serving", "Workers that serve.", crew->serving);
    counter(out, "zombie_worker_forks_total", "Children forked.",
            scoreboard_read_count(scoreboard, SCOREBOARD_FORKS));
    report_respawns(out, scoreboard);
    report_deaths(out, scoreboard);
    report_recovery(out, scoreboard);
    counter(out, "zombie_poison_requests_total", "Deaths that made their request a poison request.",
            scoreboard_read_count(scoreboard, SCOREBOARD_POISONED));
}

static void report_reloads(struct bytes *out, const struct scoreboard *scoreboard)
{
    static const char name[] = "zombie_reloads_total";
    metrics_family(out, name, METRICS_COUNTER, "Reloads of the configuration, by their result.");
    one_label(out, name, "result", "success",
              scoreboard_read_count(scoreboard, SCOREBOARD_RELOADS));
    one_label(out, name, "result", "failure",
              scoreboard_read_count(scoreboard, SCOREBOARD_RELOADS_FAILED));
}

void metrics_report(const struct scoreboard *scoreboard, const struct metrics_moment *moment,
                    struct bytes *out)
{
    struct scoreboard_instance instance;
    struct sums sums = {.limits = {0}};
    struct crew crew;
    scoreboard_read_instance(scoreboard, &instance);
    crew_read(scoreboard, moment->now_ms, 0, &crew);
    add_up(scoreboard, &sums);
    report_build(out);
    report_instance(out, &instance, moment);
    report_workers(out, scoreboard, &crew);
    report_beats(out, sums.beats_ms, moment->now_ms);
    report_reloads(out, scoreboard);
    report_http(out, &sums, &crew);
}
