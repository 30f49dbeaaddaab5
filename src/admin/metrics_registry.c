#include "config.h"

#include "admin/metrics_registry.h"

#include "admin/metrics_text.h"
#include "discovery/directory.h"

static const struct {
    const char *name;
    const char *help;
    enum directory_count count;
} counters[] = {
    {"zombie_registry_registrations_total", "Times that the registry took this instance.",
     DIRECTORY_REGISTRATIONS},
    {"zombie_registry_heartbeats_total", "Heartbeats that the registry took.",
     DIRECTORY_HEARTBEATS},
    {"zombie_registry_failovers_total", "Times that another server of it was tried.",
     DIRECTORY_FAILOVERS},
    {"zombie_registry_lookups_total", "Answers to the question who a service is.",
     DIRECTORY_LOOKUPS},
};

static const struct {
    const char *kind;
    enum directory_count count;
} failures[] = {
    {"task", DIRECTORY_FAILURES},
    {"forgotten", DIRECTORY_FORGOTTEN},
    {"lookup", DIRECTORY_LOOKUP_FAILURES},
};

#define N_COUNTERS (sizeof counters / sizeof counters[0])
#define N_FAILURES (sizeof failures / sizeof failures[0])

static void report_registration(struct directory *directory, struct bytes *out)
{
    static const char registered[] = "zombie_registry_registered",
                      state[] = "zombie_registry_state",
                      heard[] = "zombie_registry_last_answer_time_seconds";
    struct directory_registration now;
    directory_read_registration(directory, &now);
    metrics_family(out, registered, METRICS_GAUGE, "Whether the registry has this instance.");
    metrics_number(out, registered, NULL, now.state == DIRECTORY_REGISTERED);
    metrics_family(out, state, METRICS_GAUGE,
                   "The state of the registration: 1 for that, 0 for the rest.");
    for (unsigned i = 0; i < DIRECTORY_STATES; i++) {
        const struct metrics_label labels[] = {
            {"state", directory_state_name((enum directory_state)i)}, {NULL, NULL}};
        metrics_number(out, state, labels, now.state == i);
    }
    metrics_family(out, heard, METRICS_GAUGE,
                   "When the registry last did what it was told, since the epoch; 0: never.");
    metrics_seconds(out, heard, NULL, now.heard_ms > 0 ? (uint64_t)now.heard_ms * 1000 : 0);
}

static void report_counts(struct directory *directory, struct bytes *out)
{
    static const char failed[] = "zombie_registry_failures_total";
    for (size_t i = 0; i < N_COUNTERS; i++) {
        metrics_family(out, counters[i].name, METRICS_COUNTER, counters[i].help);
        metrics_number(out, counters[i].name, NULL,
                       directory_read_count(directory, counters[i].count));
    }
    metrics_family(out, failed, METRICS_COUNTER,
                   "What the registry did not do: a task, to remember, to answer a look-up.");
    for (size_t i = 0; i < N_FAILURES; i++) {
        const struct metrics_label labels[] = {{"kind", failures[i].kind}, {NULL, NULL}};
        metrics_number(out, failed, labels, directory_read_count(directory, failures[i].count));
    }
}

/* Samples of one name stand together, so each family is written aside. */
struct report {
    struct bytes members;
    struct bytes origins;
};

static const char members_name[] = "zombie_registry_members",
                  origin_name[] = "zombie_registry_origin";

static void report_service(struct report *report, const struct directory_service *service)
{
    size_t n_down = 0;
    for (size_t i = 0; i < service->n; i++)
        n_down += service->members[i].is_down != 0;
    for (int down = 0; down < 2; down++) {
        const struct metrics_label labels[] = {
            {"service", service->name}, {"state", down ? "down" : "up"}, {NULL, NULL}};
        metrics_number(&report->members, members_name, labels, down ? n_down : service->n - n_down);
    }
    for (unsigned i = 0; i < DIRECTORY_ORIGINS; i++) {
        const struct metrics_label labels[] = {
            {"service", service->name},
            {"origin", directory_origin_name((enum directory_origin)i)},
            {NULL, NULL}};
        metrics_number(&report->origins, origin_name, labels, service->origin == i);
    }
}

static void end_family(struct bytes *samples, const char *name, const char *help, struct bytes *out)
{
    if (samples->len > 0) {
        metrics_family(out, name, METRICS_GAUGE, help);
        bytes_add(out, samples->at, samples->len);
    }
    out->failed |= samples->failed;
    bytes_free(samples);
}

static void report_services(struct directory *directory, struct bytes *out)
{
    static struct directory_service service;
    struct report report = {.members = {.at = NULL}, .origins = {.at = NULL}};
    for (size_t i = 0; i < SERVICES_MAX; i++)
        if (directory_at(directory, i, &service))
            report_service(&report, &service);
    end_family(&report.members, members_name, "Instances of a service that is looked up.", out);
    end_family(&report.origins, origin_name,
               "Where they are known from: 1 for that, 0 for the rest.", out);
}

void metrics_registry(struct directory *directory, struct bytes *out)
{
    report_registration(directory, out);
    report_counts(directory, out);
    report_services(directory, out);
}
