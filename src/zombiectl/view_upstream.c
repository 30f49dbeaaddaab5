#include "config.h"

#include "zombiectl/view_upstream.h"

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

/* From here on tenths of a millisecond say nothing. */
#define WHOLE_MS 100

static enum paint paint_of(const char *state)
{
    static const struct {
        const char *state;
        enum paint paint;
    } rows[] = {
        {"up", PAINT_GOOD},       {"busy", PAINT_WARN},   {"resolving", PAINT_WARN},
        {"drained", PAINT_WARN},  {"ejected", PAINT_BAD}, {"failed", PAINT_BAD},
        {"unhealthy", PAINT_BAD}, {"down", PAINT_DIM},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].state, state) == 0)
            return rows[i].paint;
    return PAINT_NONE;
}

/* An address goes below where room is short; it is there for names only. */
static const struct grid_column columns[] = {
    {"SERVER", false, 0, 0, false},     {"STATE", false, 0, 0, false},
    {"WEIGHT", true, 2, 0, false},      {"CONN", true, 0, 0, false},
    {"REQS", true, 6, 0, false},        {"FAILS", true, 3, 0, false},
    {"FAILURES", true, 5, 0, false},    {"LATENCY", true, 4, 0, false},
    {"LAST ERROR", false, 7, 0, false}, {"ADDRESS", false, 1, 0, true},
};

static void add_state(struct grid *grid, const json_t *server)
{
    const char *state = member_text(server, "state", "?");
    char text[64];

    (void)snprintf(text, sizeof(text), "%.40s%s", state,
                   member_is_true(server, "backup") ? ", backup" : "");
    grid_add(grid, paint_of(state), text);
}

static void add_count(struct grid *grid, const json_t *server, const char *key)
{
    char text[HUMAN_SIZE] = NONE;
    int64_t value;

    if (member_int(server, key, &value))
        human_count(value > 0 ? (uint64_t)value : 0, text);
    grid_add(grid, PAINT_NONE, text);
}

static void add_latency(struct grid *grid, const json_t *server)
{
    char text[HUMAN_SIZE] = NONE;
    double ms;

    if (member_real(server, "latency_ms", &ms) && ms >= 0 && ms < WHOLE_MS)
        (void)snprintf(text, sizeof(text), "%.1fms", ms);
    else if (member_real(server, "latency_ms", &ms) && ms >= WHOLE_MS && ms < 1e15)
        human_duration((int64_t)ms, text);
    grid_add(grid, PAINT_NONE, text);
}

static void add_last_error(struct grid *grid, const json_t *server)
{
    char age[HUMAN_SIZE], text[HUMAN_SIZE + 8] = NONE;
    int64_t ago_ms;

    if (member_int(server, "error_ago_ms", &ago_ms)) {
        human_age(ago_ms, age);
        (void)snprintf(text, sizeof(text), "%s ago", age);
    }
    grid_add(grid, PAINT_NONE, text);
}

/* That of a server that is one itself is known. */
static void add_address(struct grid *grid, const json_t *server)
{
    const char *address = member_text(server, "address", "");

    grid_add(grid, PAINT_NONE,
             strcmp(address, member_text(server, "name", "")) != 0 ? address : "");
}

static void add_server(struct grid *grid, const json_t *server)
{
    grid_add(grid, PAINT_NONE, member_text(server, "name", "?"));
    add_state(grid, server);
    add_count(grid, server, "weight");
    add_count(grid, server, "connections");
    add_count(grid, server, "requests");
    add_count(grid, server, "fails");
    add_count(grid, server, "failures");
    add_latency(grid, server);
    add_last_error(grid, server);
    add_address(grid, server);
}

static void draw_servers(struct canvas *canvas, const json_t *servers)
{
    struct grid *grid;

    if (grid_new(columns, sizeof(columns) / sizeof(columns[0]), &grid) < 0) {
        canvas->out->failed = true;
        return;
    }
    for (size_t i = 0; i < json_array_size(servers); i++)
        add_server(grid, json_array_get(servers, i));
    grid_draw(grid, canvas);
    grid_free(grid);
}

static void draw_head(struct canvas *canvas, const json_t *upstream, const json_t *servers)
{
    size_t n = json_array_size(servers), n_up = 0;
    char text[96];

    for (size_t i = 0; i < n; i++)
        n_up += strcmp(member_text(json_array_get(servers, i), "state", ""), "up") == 0;
    canvas_flow(canvas, PAINT_NONE, "upstream ");
    canvas_flow(canvas, PAINT_BOLD, member_text(upstream, "title", "?"));
    (void)snprintf(text, sizeof(text), ", %.40s:", member_text(upstream, "balance", "?"));
    canvas_flow(canvas, PAINT_NONE, text);
    (void)snprintf(text, sizeof(text), " %zu of %zu up", n_up, n);
    canvas_flow(canvas, n_up > 0 ? PAINT_NONE : PAINT_BAD, text);
    canvas_end_line(canvas);
}

void view_upstream_draw(struct bytes *out, const json_t *upstreams, size_t width, bool colour)
{
    struct canvas canvas = {.out = out, .width = width, .colour = colour};

    for (size_t i = 0; i < json_array_size(upstreams); i++) {
        const json_t *upstream = json_array_get(upstreams, i);
        const json_t *servers = json_object_get(upstream, "servers");

        if (i > 0)
            canvas_end_line(&canvas);
        draw_head(&canvas, upstream, servers);
        draw_servers(&canvas, servers);
    }
    if (json_array_size(upstreams) == 0) {
        canvas_flow(&canvas, PAINT_NONE, "there are no upstreams");
        canvas_end_line(&canvas);
    }
}
