#include "config.h"

#include "zombiectl/view_discovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "zombiectl/canvas.h"
#include "zombiectl/grid.h"
#include "zombiectl/human.h"
#include "zombiectl/member.h"
#include "zombiectl/visible.h"

/* Stands for what is not known. */
#define NONE "-"

static enum paint paint_of(const char *origin)
{
    if (strcmp(origin, "current") == 0)
        return PAINT_GOOD;
    return strcmp(origin, "unknown") == 0 ? PAINT_BAD : PAINT_WARN;
}

static const struct grid_column columns[] = {
    {"SERVICE", false, 0, 0, false}, {"ORIGIN", false, 0, 0, false},
    {"UP", true, 0, 0, false},       {"INSTANCES", true, 2, 0, false},
    {"VERSION", true, 1, 0, false},  {"CHANGED", false, 3, 0, false},
};

static void add_number(struct grid *grid, const json_t *service, const char *key)
{
    char text[HUMAN_SIZE] = NONE;
    int64_t value;

    if (member_int(service, key, &value))
        (void)snprintf(text, sizeof(text), "%" PRId64, value);
    grid_add(grid, PAINT_NONE, text);
}

static void add_service(struct grid *grid, const json_t *service)
{
    const char *origin = member_text(service, "origin", "?");

    grid_add(grid, PAINT_NONE, member_text(service, "service", "?"));
    grid_add(grid, paint_of(origin), origin);
    add_number(grid, service, "up");
    add_number(grid, service, "count");
    add_number(grid, service, "version");
    grid_add(grid, PAINT_NONE, member_text(service, "changed", NONE));
}

void view_discovery_draw(struct bytes *out, const json_t *services, size_t width, bool colour)
{
    struct canvas canvas = {.out = out, .width = width, .colour = colour};
    struct grid *grid;

    if (json_array_size(services) == 0) {
        canvas_flow(&canvas, PAINT_NONE, "no services are looked up");
        canvas_end_line(&canvas);
        return;
    }
    if (grid_new(columns, sizeof(columns) / sizeof(columns[0]), &grid) < 0) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < json_array_size(services); i++)
        add_service(grid, json_array_get(services, i));
    grid_draw(grid, &canvas);
    grid_free(grid);
}

static void list_member(struct bytes *out, const json_t *member)
{
    const char *host = member_text(member, "host", "?");
    bool is_ipv6 = strchr(host, ':') != NULL;
    int64_t port = 0;

    (void)member_int(member, "port", &port);
    bytes_add_text(out, is_ipv6 ? "[" : "");
    visible_clean(out, VISIBLE_LINE, host);
    bytes_add_text(out, is_ipv6 ? "]:" : ":");
    bytes_add_number(out, port > 0 ? (uint64_t)port : 0);
    bytes_add_text(out, "\n");
}

void view_discovery_list(struct bytes *out, const json_t *answer)
{
    const json_t *members = json_object_get(answer, "members");
    const json_t *one = json_object_get(answer, "member");

    if (json_is_object(one))
        list_member(out, one);
    for (size_t i = 0; i < json_array_size(members); i++)
        if (!member_is_true(json_array_get(members, i), "down"))
            list_member(out, json_array_get(members, i));
}
