#include "config.h"

#include "zombiectl/view_status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "zombiectl/canvas.h"
#include "zombiectl/grid.h"
#include "zombiectl/human.h"
#include "zombiectl/member.h"

/* Stands for what is not known, or for nothing. */
#define NONE "-"

/* Room for the cause of a death in a word or two. */
#define SHORT_SIZE 32

static enum paint paint_of(const char *state)
{
    static const struct {
        const char *state;
        enum paint paint;
    } rows[] = {
        {"serving", PAINT_GOOD},  {"starting", PAINT_WARN}, {"reloading", PAINT_WARN},
        {"draining", PAINT_WARN}, {"stopping", PAINT_WARN}, {"paused", PAINT_WARN},
        {"degraded", PAINT_BAD},  {"killed", PAINT_BAD},    {"backoff", PAINT_BAD},
        {"held", PAINT_DIM},      {"empty", PAINT_DIM},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].state, state) == 0)
            return rows[i].paint;
    return PAINT_NONE;
}

/* A member as text in buf: by its kind, or NONE. */
static const char *duration(const json_t *object, const char *key, char buf[HUMAN_SIZE])
{
    int64_t value;

    if (!member_int(object, key, &value))
        return NONE;
    human_duration(value, buf);
    return buf;
}

static const char *count(const json_t *object, const char *key, char buf[HUMAN_SIZE])
{
    int64_t value;

    if (!member_int(object, key, &value))
        return NONE;
    human_count(value < 0 ? 0 : (uint64_t)value, buf);
    return buf;
}

static const char *size(const json_t *object, const char *key, char buf[HUMAN_SIZE])
{
    int64_t value;

    if (!member_int(object, key, &value))
        return NONE;
    human_bytes(value < 0 ? 0 : (uint64_t)value, buf);
    return buf;
}

static const char *rate(const json_t *object, const char *key, char buf[HUMAN_SIZE])
{
    double value;

    if (!member_real(object, key, &value))
        return NONE;
    human_rate(value, buf);
    return buf;
}

static const char *plain(const json_t *object, const char *key, char buf[HUMAN_SIZE])
{
    int64_t value;

    if (!member_int(object, key, &value))
        return NONE;
    (void)snprintf(buf, HUMAN_SIZE, "%" PRId64, value);
    return buf;
}

static unsigned count_serving(const json_t *processes)
{
    unsigned n = 0;

    for (size_t i = 0; i < json_array_size(processes); i++) {
        const json_t *process = json_array_get(processes, i);

        n += strcmp(member_text(process, "role", ""), "worker") == 0 &&
             strcmp(member_text(process, "state", ""), "serving") == 0 &&
             !member_is_true(process, "candidate") && !member_is_true(process, "leaving");
    }
    return n;
}

/* canvas_flow() of a format. */
__attribute__((format(printf, 3, 4))) static void flow(struct canvas *canvas, enum paint paint,
                                                       const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    canvas->out->failed |= text == NULL;
    canvas_flow(canvas, paint, text != NULL ? text : "");
    free(text);
}

static void draw_who(struct canvas *canvas, const json_t *status)
{
    const char *state = member_text(status, "state", "?");
    char a[HUMAN_SIZE];

    flow(canvas, PAINT_BOLD, "zombie-server %s", member_text(status, "version", "?"));
    flow(canvas, PAINT_NONE, " on %s", member_text(status, "hostname", "?"));
    canvas_put(canvas, PAINT_NONE, ",");
    flow(canvas, PAINT_NONE, " pid %s: ", plain(status, "pid", a));
    canvas_flow(canvas, paint_of(state), state);
    canvas_put(canvas, PAINT_NONE, ",");
    flow(canvas, PAINT_NONE, " up %s", duration(status, "uptime_ms", a));
    canvas_end_line(canvas);
}

static void draw_instance(struct canvas *canvas, const json_t *status)
{
    char a[HUMAN_SIZE];
    unsigned serving = count_serving(json_object_get(status, "processes"));
    int64_t wanted = 0;
    bool all = member_int(status, "workers", &wanted) && serving >= wanted;

    flow(canvas, PAINT_NONE, "instance %s", member_text(status, "instance", "?"));
    canvas_put(canvas, PAINT_NONE, ";");
    flow(canvas, all ? PAINT_NONE : PAINT_BAD, " %u of %s workers serve", serving,
         plain(status, "workers", a));
    canvas_end_line(canvas);
    if (strcmp(member_text(status, "state", ""), "paused") != 0)
        return;
    canvas_flow(canvas, PAINT_WARN, "paused; `zombiectl reload` or `zombiectl scale N` ends it");
    canvas_end_line(canvas);
}

/* In milliseconds since 1970; 0: it is no time. */
static int64_t wall_ms(const json_t *object, const char *key)
{
    const char *text = member_text(object, key, "");
    struct tm when = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &when);

    return rest != NULL ? (int64_t)timegm(&when) * 1000 + (int64_t)(strtod(rest, NULL) * 1000) : 0;
}

/* That the server goes on as before is easily overlooked. */
static void draw_reload(struct canvas *canvas, const json_t *status)
{
    const json_t *reload = json_object_get(status, "last_reload");
    int64_t uptime_ms = 0, failed_ms = wall_ms(reload, "time");
    char ago[HUMAN_SIZE];

    if (!json_is_false(json_object_get(reload, "ok")))
        return;
    canvas_flow(canvas, PAINT_BAD, "the last reload failed");
    if (failed_ms > 0 && member_int(status, "uptime_ms", &uptime_ms)) {
        human_age(wall_ms(status, "started") + uptime_ms - failed_ms, ago);
        flow(canvas, PAINT_BAD, " %s ago", ago);
    }
    canvas_put(canvas, PAINT_BAD, ":");
    flow(canvas, PAINT_NONE, " %s", member_text(reload, "text", "?"));
    canvas_end_line(canvas);
}

/* "; 1 death" or ", 2 deaths" */
static void put_count(struct canvas *canvas, const char *mark, int64_t n, const char *noun,
                      const char *plural)
{
    char text[HUMAN_SIZE];

    human_count((uint64_t)n, text);
    canvas_put(canvas, PAINT_NONE, mark);
    flow(canvas, PAINT_NONE, " %s %s%s", text, noun, n == 1 ? "" : plural);
}

/* Ends that were planned are told apart: a reload is no calamity. */
static void draw_deaths(struct canvas *canvas, const json_t *totals)
{
    int64_t deaths = 0, respawns = 0, retired = 0;
    bool tells_retired = member_int(totals, "retired", &retired);

    if (!member_int(totals, "deaths", &deaths) || !member_int(totals, "respawns", &respawns))
        return;
    put_count(canvas, ";", deaths > retired ? deaths - retired : 0, "death", "s");
    put_count(canvas, ",", respawns > 0 ? respawns : 0, "respawn", "s");
    if (tells_retired)
        put_count(canvas, ",", retired > 0 ? retired : 0, "retired", "");
}

static void draw_history(struct canvas *canvas, const json_t *status)
{
    const json_t *master = json_object_get(status, "master");
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    flow(canvas, PAINT_NONE, "generation %s, upgrades %s", plain(status, "generation", a),
         plain(status, "upgrades", b));
    draw_deaths(canvas, json_object_get(status, "totals"));
    canvas_put(canvas, PAINT_NONE, ";");
    flow(canvas, PAINT_NONE, " master CPU %s %%, PSS %s", rate(master, "cpu_percent", a),
         size(master, "pss_bytes", b));
    if (member_is_true(status, "chaos")) {
        canvas_put(canvas, PAINT_NONE, ";");
        canvas_flow(canvas, PAINT_WARN, " chaos is on");
    }
    canvas_end_line(canvas);
}

static void draw_traffic(struct canvas *canvas, const json_t *status)
{
    const json_t *totals = json_object_get(status, "totals");
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    flow(canvas, PAINT_NONE, "requests %s, %s a second", count(totals, "requests", a),
         rate(totals, "requests_per_second", b));
    canvas_put(canvas, PAINT_NONE, ";");
    flow(canvas, PAINT_NONE, " connections %s, %s accepted", count(totals, "connections", a),
         count(totals, "accepted", b));
    canvas_put(canvas, PAINT_NONE, ";");
    flow(canvas, PAINT_NONE, " received %s, sent %s", size(totals, "received_bytes", a),
         size(totals, "sent_bytes", b));
    canvas_end_line(canvas);
}

static void draw_listeners(struct canvas *canvas, const json_t *status)
{
    const json_t *listeners = json_object_get(status, "listeners");
    const char *admin = member_text(status, "admin", NULL);

    for (size_t i = 0; i < json_array_size(listeners); i++) {
        const char *address = json_string_value(json_array_get(listeners, i));

        canvas_put(canvas, PAINT_NONE, i == 0 ? "" : ",");
        flow(canvas, PAINT_NONE, i == 0 ? "listens on %s" : " %s", address != NULL ? address : "?");
    }
    if (json_array_size(listeners) == 0)
        canvas_flow(canvas, PAINT_WARN, "listens nowhere");
    if (admin != NULL) {
        canvas_put(canvas, PAINT_NONE, ";");
        flow(canvas, PAINT_NONE, " admin at %s", admin);
    }
    canvas_end_line(canvas);
}

/* How the registration is, in a few words and with its colour. */
static void draw_registration(struct canvas *canvas, const json_t *registry)
{
    const char *state = member_text(registry, "state", "?");
    const char *status = member_text(registry, "status", "?");
    bool is_up = strcmp(status, "UP") == 0;

    if (strcmp(state, "registered") == 0)
        flow(canvas, is_up ? PAINT_GOOD : PAINT_WARN, " %s as %s", status,
             member_text(registry, "id", "?"));
    else if (strcmp(state, "off") == 0)
        canvas_flow(canvas, PAINT_NONE, " looks up only");
    else
        flow(canvas, PAINT_WARN, " %s as %s", state, member_text(registry, "id", "?"));
}

static void draw_registry(struct canvas *canvas, const json_t *status)
{
    const json_t *registry = json_object_get(status, "registry");
    const char *error = member_text(registry, "error", NULL);
    char wait[HUMAN_SIZE];

    if (!json_is_object(registry))
        return;
    flow(canvas, PAINT_NONE, "registry %s %s", member_text(registry, "type", "?"),
         member_text(registry, "url", NONE));
    canvas_put(canvas, PAINT_NONE, ":");
    draw_registration(canvas, registry);
    if (error != NULL) {
        canvas_put(canvas, PAINT_NONE, ";");
        flow(canvas, PAINT_BAD, " %s", error);
        if (json_is_integer(json_object_get(registry, "retry_in_ms")))
            flow(canvas, PAINT_NONE, ", again in %s", duration(registry, "retry_in_ms", wait));
    }
    canvas_end_line(canvas);
}

/* How a worker ended and what it does matter most: figures that only measure go before them. */
static const struct grid_column columns[] = {
    {"SLOT", true, 0, 0, false},    {"WORKER", true, 0, 0, false},
    {"PID", true, 0, 0, false},     {"STATE", false, 0, 0, false},
    {"UPTIME", true, 0, 0, false},  {"RESPAWNS", true, 7, 0, false},
    {"REQS", true, 2, 0, false},    {"REQ/S", true, 6, 0, false},
    {"CONN", true, 5, 0, false},    {"CPU%", true, 3, 0, false},
    {"PSS", true, 4, 0, false},     {"LAST DEATH", false, 8, 7, false},
    {"REQUEST", false, 1, 0, true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Children of other roles have that in place of an id. */
static void add_name(struct grid *grid, const json_t *process)
{
    const char *role = member_text(process, "role", "?");
    char a[HUMAN_SIZE];

    grid_add(grid, PAINT_NONE, plain(process, "slot", a));
    grid_add(grid, PAINT_NONE, strcmp(role, "worker") == 0 ? plain(process, "worker", a) : role);
    grid_add(grid, PAINT_NONE, plain(process, "pid", a));
}

static void add_state(struct grid *grid, const json_t *process)
{
    const char *state = member_text(process, "state", "?");
    const char *place = "";
    char text[64];

    if (member_is_true(process, "candidate"))
        place = ", next";
    else if (member_is_true(process, "leaving"))
        place = ", old";
    (void)snprintf(text, sizeof(text), "%.40s%s", state, place);
    grid_add(grid, paint_of(state), text);
}

static void add_figures(struct grid *grid, const json_t *process)
{
    char a[HUMAN_SIZE];

    grid_add(grid, PAINT_NONE, duration(process, "uptime_ms", a));
    grid_add(grid, PAINT_NONE, count(process, "respawns", a));
    grid_add(grid, PAINT_NONE, count(process, "requests", a));
    grid_add(grid, PAINT_NONE, rate(process, "requests_per_second", a));
    grid_add(grid, PAINT_NONE, count(process, "connections", a));
    grid_add(grid, PAINT_NONE, rate(process, "cpu_percent", a));
    grid_add(grid, PAINT_NONE, size(process, "pss_bytes", a));
}

/* Texts of any length: put together in memory that grows. */
static void add_texts(struct grid *grid, enum paint paint, const char *const *texts, size_t n)
{
    struct bytes text = {0};

    for (size_t i = 0; i < n; i++)
        bytes_add_text(&text, texts[i]);
    grid_add(grid, paint, text.failed || text.len == 0 ? NONE : text.at);
    bytes_free(&text);
}

/* What was wanted is nothing to worry about. */
static enum paint paint_of_death(const char *kind)
{
    if (strcmp(kind, "retired") == 0 || strcmp(kind, "left") == 0)
        return PAINT_DIM;
    return strcmp(kind, "chaos") == 0 ? PAINT_WARN : PAINT_BAD;
}

/* "exit 1", "SIGSEGV", "hang", "OOM": a cause in a word, where the room is short. */
static const char *shorten(const json_t *death, char buf[SHORT_SIZE])
{
    static const char by_status[] = "exited with status ", by_signal[] = "killed by ";
    const char *kind = member_text(death, "kind", "");
    const char *cause = member_text(death, "cause", "?");

    if (strcmp(kind, "hang") == 0)
        return "hang";
    if (strcmp(kind, "oom") == 0)
        return "OOM";
    if (strncmp(cause, by_status, strlen(by_status)) == 0)
        (void)snprintf(buf, SHORT_SIZE, "exit %s", cause + strlen(by_status));
    else if (strncmp(cause, by_signal, strlen(by_signal)) == 0)
        (void)snprintf(buf, SHORT_SIZE, "%.*s", (int)strcspn(cause + strlen(by_signal), ","),
                       cause + strlen(by_signal));
    else
        return cause;
    return buf;
}

static void add_last_death(struct grid *grid, const json_t *process, bool is_narrow)
{
    const json_t *death = json_object_get(process, "last_death");
    char ago[HUMAN_SIZE], cause[SHORT_SIZE];
    int64_t ago_ms = 0;
    const char *texts[] = {member_text(death, "cause", "?"), ", ", duration(death, "ago_ms", ago),
                           " ago"};
    size_t n = sizeof(texts) / sizeof(texts[0]);

    if (!json_is_object(death)) {
        grid_add(grid, PAINT_NONE, NONE);
        return;
    }
    if (is_narrow && member_int(death, "ago_ms", &ago_ms)) {
        human_age(ago_ms, ago);
        texts[0] = shorten(death, cause);
        texts[1] = " ";
        n--;
    }
    add_texts(grid, paint_of_death(member_text(death, "kind", "?")), texts, n);
}

static void add_request(struct grid *grid, const json_t *process)
{
    const json_t *request = json_object_get(process, "request");
    char a[HUMAN_SIZE];
    const char *const texts[] = {duration(request, "elapsed_ms", a), " ",
                                 member_text(request, "method", "?"), " ",
                                 member_text(request, "path", "?")};

    if (!json_is_object(request))
        grid_add(grid, PAINT_NONE, "");
    else
        add_texts(grid, PAINT_NONE, texts, sizeof(texts) / sizeof(texts[0]));
}

static struct grid *make_grid(const json_t *processes, bool is_narrow)
{
    struct grid *grid;

    if (grid_new(columns, N_COLUMNS, &grid) < 0)
        return NULL;
    for (size_t i = 0; i < json_array_size(processes); i++) {
        const json_t *process = json_array_get(processes, i);

        add_name(grid, process);
        add_state(grid, process);
        add_figures(grid, process);
        add_last_death(grid, process, is_narrow);
        add_request(grid, process);
    }
    return grid;
}

static void draw_processes(struct canvas *canvas, const json_t *processes)
{
    struct grid *grid = make_grid(processes, false);

    if (grid != NULL && canvas->width > 0 && grid_width(grid) > canvas->width) {
        grid_free(grid);
        grid = make_grid(processes, true);
    }
    if (grid != NULL)
        grid_draw(grid, canvas);
    else
        canvas->out->failed = true;
    grid_free(grid);
}

void view_status_draw(struct bytes *out, const json_t *status, size_t width, bool colour)
{
    struct canvas canvas = {.out = out, .width = width, .colour = colour};

    draw_who(&canvas, status);
    draw_instance(&canvas, status);
    draw_reload(&canvas, status);
    draw_history(&canvas, status);
    draw_traffic(&canvas, status);
    draw_listeners(&canvas, status);
    draw_registry(&canvas, status);
    canvas_end_line(&canvas);
    draw_processes(&canvas, json_object_get(status, "processes"));
}
