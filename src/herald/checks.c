#include "config.h"

#include "herald/checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/dice.h"
#include "base/log.h"
#include "conf/conf.h"
#include "herald/check.h"
#include "herald/check_http.h"
#include "proxy/balancer.h"

/* How often it is looked who is there. */
#define LOOK_MS 1000

/* Room for the reason of a failure. */
#define REASON_SIZE 64

/* A server that is checked. */
struct patient {
    LIST_ENTRY(patient) entry;
    struct ward *ward;
    unsigned peer;
    uint32_t incarnation;
    struct address address;
    char *title;
    bool seen; /* in the round of now */
    struct check check;
    struct event *timer;
    struct check_http *probe; /* NULL: none runs */
};

/* An upstream with a rule. */
struct ward {
    struct checks *checks;
    const struct conf_upstream *conf;
    LIST_HEAD(patients, patient) patients;
};

struct checks {
    struct event_base *base;
    struct balancer *balancer;
    struct event *look;
    struct ward *wards;
    size_t n_wards;
    size_t under_way;
};

static bool has_rule(const struct conf_upstream *upstream)
{
    return upstream->check.path != NULL && upstream->check.path[0] != '\0';
}

bool checks_are_wanted(const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (has_rule(&conf->upstreams[i]))
            return true;
    return false;
}

static void set_timer(struct event *timer, int64_t due_ms)
{
    int64_t wait_ms = due_ms - clock_now_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(timer, &wait);
}

/* --- A probe --------------------------------------------------------------------- */

static void describe(int result, char reason[REASON_SIZE])
{
    if (result > 0)
        snprintf(reason, REASON_SIZE, "status %d", result);
    else if (result == -ETIMEDOUT)
        snprintf(reason, REASON_SIZE, "no answer in time");
    else if (result == -EBADMSG)
        snprintf(reason, REASON_SIZE, "the answer is not HTTP/1");
    else if (result == -EMSGSIZE)
        snprintf(reason, REASON_SIZE, "the head of the answer is too long");
    else
        snprintf(reason, REASON_SIZE, "%s", strerror(-result));
}

static void announce(const struct patient *patient, int result)
{
    const struct conf_upstream *conf = patient->ward->conf;
    const struct conf_check_rule *rule = &conf->check;
    bool healthy = patient->check.healthy;
    char text[ADDRESS_TEXT_SIZE], reason[REASON_SIZE];
    const struct log_field fields[] = {LOG_TEXT("upstream", conf->title),
                                       LOG_TEXT("server", patient->title),
                                       LOG_TEXT("address", text)};
    address_format(&patient->address, text);
    describe(result, reason);
    log_write(healthy ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, fields,
              sizeof fields / sizeof fields[0],
              healthy ? "a server is healthy again: %ld checks in a row passed (the last one: %s)"
                      : "a server is unhealthy: %ld checks in a row failed (the last one: %s)",
              healthy ? rule->rise : rule->fall, reason);
}

/* Also when nothing has changed: what could not be told the last time is made up for. */
static void publish(const struct patient *patient)
{
    struct balancer *balancer = patient->ward->checks->balancer;
    struct balancer_upstream *upstream = balancer_find(balancer, patient->ward->conf->title);
    if (upstream != NULL)
        balancer_set_health(upstream, patient->peer, patient->incarnation, patient->check.healthy,
                            clock_now_ms());
}

static void end_probe(struct patient *patient)
{
    check_http_free(patient->probe);
    patient->probe = NULL;
    patient->ward->checks->under_way--;
}

static void on_result(int result, void *arg)
{
    struct patient *patient = arg;
    const struct conf_check_rule *rule = &patient->ward->conf->check;
    bool passed = check_accepts(rule, result);
    end_probe(patient);
    if (check_end(&patient->check, rule, passed, dice_throw(), clock_now_ms()))
        announce(patient, result);
    publish(patient);
    set_timer(patient->timer, patient->check.due_ms);
}

/* The title of a unix socket is no host. */
static const char *host_of(const struct patient *patient)
{
    return patient->address.storage.ss_family == AF_UNIX ? "localhost" : patient->title;
}

static void begin_probe(struct patient *patient)
{
    struct checks *checks = patient->ward->checks;
    const struct conf_check_rule *rule = &patient->ward->conf->check;
    const struct check_http_plan plan = {.address = &patient->address,
                                         .host = host_of(patient),
                                         .path = rule->path,
                                         .timeout_ms = rule->timeout_ms,
                                         .done = on_result,
                                         .arg = patient};
    int64_t now_ms = clock_now_ms();
    int err = checks->under_way < CHECKS_AT_ONCE
                  ? check_http_new(checks->base, &plan, &patient->probe)
                  : -EAGAIN;
    if (err != 0) {
        set_timer(patient->timer, now_ms + LOOK_MS / 10);
        return;
    }
    checks->under_way++;
    check_begin(&patient->check, rule, now_ms);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    begin_probe(arg);
}

/* --- Who is there ------------------------------------------------------------------ */

static void discharge(struct patient *patient)
{
    LIST_REMOVE(patient, entry);
    if (patient->probe != NULL)
        end_probe(patient);
    if (patient->timer != NULL)
        event_free(patient->timer);
    free(patient->title);
    free(patient);
}

static struct patient *find(const struct ward *ward, const struct balancer_view *view)
{
    struct patient *patient = LIST_FIRST(&ward->patients);
    while (patient != NULL &&
           (patient->peer != view->peer || patient->incarnation != view->incarnation))
        patient = LIST_NEXT(patient, entry);
    return patient;
}

static void admit(struct ward *ward, const struct balancer_view *view)
{
    const struct conf_check_rule *rule = &ward->conf->check;
    struct patient *patient = calloc(1, sizeof *patient);
    if (patient == NULL)
        return; /* until the next look */
    LIST_INSERT_HEAD(&ward->patients, patient, entry);
    patient->ward = ward;
    patient->peer = view->peer;
    patient->incarnation = view->incarnation;
    patient->address = view->address;
    patient->seen = true;
    patient->title = strdup(view->server);
    patient->timer = event_new(ward->checks->base, -1, 0, on_due, patient);
    if (patient->title == NULL || patient->timer == NULL) {
        discharge(patient);
        return;
    }
    check_init(&patient->check, rule, view->state != PEER_UNHEALTHY, dice_throw(), clock_now_ms());
    set_timer(patient->timer, patient->check.due_ms);
}

static void look_at(struct ward *ward)
{
    static struct balancer_view views[BALANCER_PEERS];
    struct balancer_upstream *upstream = balancer_find(ward->checks->balancer, ward->conf->title);
    struct patient *patient, *next;
    int64_t now_ms = clock_now_ms();
    size_t n = upstream != NULL ? balancer_list(upstream, now_ms, views, BALANCER_PEERS) : 0;
    LIST_FOREACH (patient, &ward->patients, entry) {
        patient->seen = false;
    }
    for (size_t i = 0; i < n; i++) {
        patient = find(ward, &views[i]);
        if (views[i].state == PEER_DOWN)
            continue; /* the configuration wants it out, whatever it answers */
        if (patient != NULL)
            patient->seen = true;
        else
            admit(ward, &views[i]);
    }
    for (patient = LIST_FIRST(&ward->patients); patient != NULL; patient = next) {
        next = LIST_NEXT(patient, entry);
        if (!patient->seen)
            discharge(patient);
    }
}

void checks_look(struct checks *checks)
{
    set_timer(checks->look, clock_now_ms() + LOOK_MS);
    for (size_t i = 0; i < checks->n_wards; i++)
        look_at(&checks->wards[i]);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    checks_look(arg);
}

int checks_new(struct event_base *base, const struct conf *conf, struct balancer *balancer,
               struct checks **ret_checks)
{
    struct checks *checks = calloc(1, sizeof *checks);
    if (checks == NULL)
        return -ENOMEM;
    checks->base = base;
    checks->balancer = balancer;
    checks->look = event_new(base, -1, 0, on_look, checks);
    checks->wards = calloc(conf->n_upstreams + 1, sizeof *checks->wards);
    if (checks->look == NULL || checks->wards == NULL) {
        checks_free(checks);
        return -ENOMEM;
    }
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (has_rule(&conf->upstreams[i]))
            checks->wards[checks->n_wards++] =
                (struct ward){.checks = checks, .conf = &conf->upstreams[i]};
    *ret_checks = checks;
    return 0;
}

void checks_free(struct checks *checks)
{
    struct patient *patient;
    if (checks == NULL)
        return;
    for (size_t i = 0; i < checks->n_wards; i++)
        while ((patient = LIST_FIRST(&checks->wards[i].patients)) != NULL)
            discharge(patient);
    if (checks->look != NULL)
        event_free(checks->look);
    free(checks->wards);
    free(checks);
}
