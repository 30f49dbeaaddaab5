#include "config.h"

#include "zombiectl/view_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "zombiectl/canvas.h"
#include "zombiectl/grid.h"
#include "zombiectl/human.h"
#include "zombiectl/member.h"

/* Stands for what is not known, or for nothing. */
#define NONE "-"

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

static void draw_who(struct canvas *canvas, const json_t *status)
{
    const char *state = member_text(status, "state", "?");
    char a[HUMAN_SIZE];

    canvas_put(canvas, PAINT_BOLD, "zombie-server ");
    canvas_put(canvas, PAINT_BOLD, member_text(status, "version", "?"));
    canvas_put(canvas, PAINT_NONE, " on ");
    canvas_put(canvas, PAINT_NONE, member_text(status, "hostname", "?"));
    canvas_print(canvas, PAINT_NONE, ", pid %s: ", plain(status, "pid", a));
    canvas_put(canvas, paint_of(state), state);
    canvas_print(canvas, PAINT_NONE, ", up %s", duration(status, "uptime_ms", a));
    canvas_end_line(canvas);
}

static void draw_instance(struct canvas *canvas, const json_t *status)
{
    char a[HUMAN_SIZE];
    unsigned serving = count_serving(json_object_get(status, "processes"));
    int64_t wanted = 0;
    bool all = member_int(status, "workers", &wanted) && serving >= wanted;

    canvas_put(canvas, PAINT_NONE, "instance ");
    canvas_put(canvas, PAINT_NONE, member_text(status, "instance", "?"));
    canvas_put(canvas, PAINT_NONE, "; ");
    canvas_print(canvas, all ? PAINT_NONE : PAINT_BAD, "%u of %s workers serve", serving,
                 plain(status, "workers", a));
    canvas_end_line(canvas);
}

static void draw_history(struct canvas *canvas, const json_t *status)
{
    const json_t *totals = json_object_get(status, "totals");
    const json_t *master = json_object_get(status, "master");
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    canvas_print(canvas, PAINT_NONE, "generation %s, upgrades %s, ", plain(status, "generation", a),
                 plain(status, "upgrades", b));
    canvas_print(canvas, PAINT_NONE, "deaths %s, respawns %s; ", count(totals, "deaths", a),
                 count(totals, "respawns", b));
    canvas_print(canvas, PAINT_NONE, "master CPU %s %%, PSS %s", rate(master, "cpu_percent", a),
                 size(master, "pss_bytes", b));
    if (member_is_true(status, "chaos"))
        canvas_put(canvas, PAINT_WARN, "; chaos is on");
    canvas_end_line(canvas);
}

static void draw_traffic(struct canvas *canvas, const json_t *status)
{
    const json_t *totals = json_object_get(status, "totals");
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    canvas_print(canvas, PAINT_NONE, "requests %s, %s a second; ", count(totals, "requests", a),
                 rate(totals, "requests_per_second", b));
    canvas_print(canvas, PAINT_NONE, "connections %s, %s accepted; ",
                 count(totals, "connections", a), count(totals, "accepted", b));
    canvas_print(canvas, PAINT_NONE, "received %s, sent %s", size(totals, "received_bytes", a),
                 size(totals, "sent_bytes", b));
    canvas_end_line(canvas);
}

static void draw_listeners(struct canvas *canvas, const json_t *status)
{
    const json_t *listeners = json_object_get(status, "listeners");
    const char *admin = member_text(status, "admin", NULL);

    for (size_t i = 0; i < json_array_size(listeners); i++) {
        const char *address = json_string_value(json_array_get(listeners, i));

        canvas_put(canvas, PAINT_NONE, i == 0 ? "listens on " : ", ");
        canvas_put(canvas, PAINT_NONE, address != NULL ? address : "?");
    }
    if (json_array_size(listeners) == 0)
        canvas_put(canvas, PAINT_WARN, "listens nowhere");
    if (admin != NULL) {
        canvas_put(canvas, PAINT_NONE, "; admin at ");
        canvas_put(canvas, PAINT_NONE, admin);
    }
    canvas_end_line(canvas);
}

static const struct grid_column columns[] = {
    {"SLOT", true, 0},      {"WORKER", true, 0},   {"PID", true, 0},  {"STATE", false, 0},
    {"UPTIME", true, 0},    {"RESPAWNS", true, 0}, {"REQS", true, 0}, {"REQ/S", true, 0},
    {"CONN", true, 0},      {"CPU%", true, 0},     {"PSS", true, 0},  {"LAST DEATH", false, 12},
    {"REQUEST", false, 12},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* The admin child has a role in place of an id. */
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

static void add_last_death(struct grid *grid, const json_t *process)
{
    const json_t *death = json_object_get(process, "last_death");
    char a[HUMAN_SIZE];
    const char *const texts[] = {member_text(death, "cause", "?"), ", ",
                                 duration(death, "ago_ms", a), " ago"};

    if (!json_is_object(death))
        grid_add(grid, PAINT_NONE, NONE);
    else
        add_texts(grid, paint_of_death(member_text(death, "kind", "?")), texts,
                  sizeof(texts) / sizeof(texts[0]));
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

static void draw_processes(struct canvas *canvas, const json_t *processes)
{
    struct grid *grid;

    if (grid_new(columns, N_COLUMNS, &grid) < 0) {
        canvas->out->failed = true;
        return;
    }
    for (size_t i = 0; i < json_array_size(processes); i++) {
        const json_t *process = json_array_get(processes, i);

        add_name(grid, process);
        add_state(grid, process);
        add_figures(grid, process);
        add_last_death(grid, process);
        add_request(grid, process);
    }
    grid_draw(grid, canvas);
    grid_free(grid);
}

void view_status_draw(struct bytes *out, const json_t *status, size_t head_width,
                      size_t table_width, bool colour)
{
    struct canvas head = {.out = out, .width = head_width, .colour = colour};
    struct canvas table = {.out = out, .width = table_width, .colour = colour};

    draw_who(&head, status);
    draw_instance(&head, status);
    draw_history(&head, status);
    draw_traffic(&head, status);
    draw_listeners(&head, status);
    canvas_end_line(&head);
    draw_processes(&table, json_object_get(status, "processes"));
}
