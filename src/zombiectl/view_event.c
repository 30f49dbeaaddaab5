#include "config.h"

#include "zombiectl/view_event.h"

#include <inttypes.h>
#include <string.h>

#include "zombiectl/canvas.h"
#include "zombiectl/member.h"

/* Where the columns begin; a text that is longer pushes the next one on. */
#define KIND_COLUMN 26
#define WHO_COLUMN  42
#define TEXT_COLUMN 76

static enum paint paint_of(const char *kind)
{
    static const struct {
        const char *kind;
        enum paint paint;
    } rows[] = {
        {"start", PAINT_GOOD},     {"ready", PAINT_GOOD},        {"recovered", PAINT_GOOD},
        {"reloaded", PAINT_GOOD},  {"upgrade", PAINT_GOOD},      {"death", PAINT_BAD},
        {"poison", PAINT_BAD},     {"reload-failed", PAINT_BAD}, {"upgrade-failed", PAINT_BAD},
        {"crash-loop", PAINT_BAD}, {"chaos", PAINT_WARN},        {"pause", PAINT_WARN},
        {"stop", PAINT_WARN},      {"leaving", PAINT_WARN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return rows[i].paint;
    return PAINT_NONE;
}

/* "worker 3, slot 1, pid 77", or what there is of it. */
static void put_who(struct canvas *canvas, const json_t *event)
{
    static const char *const keys[] = {"worker", "slot", "pid"};
    const char *role = member_text(event, "role", "worker");
    const char *separator = "";
    int64_t number;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!member_int(event, keys[i], &number))
            continue;
        canvas_put(canvas, PAINT_NONE, separator);
        canvas_put(canvas, PAINT_NONE, i == 0 ? role : keys[i]);
        canvas_print(canvas, PAINT_NONE, " %" PRId64, number);
        separator = ", ";
    }
}

static void go_to(struct canvas *canvas, size_t column)
{
    canvas_put(canvas, PAINT_NONE, canvas->column > 0 ? "  " : "");
    canvas_move(canvas, column);
}

void view_event_draw(struct bytes *out, const json_t *event, bool colour)
{
    struct canvas canvas = {.out = out, .colour = colour};
    const char *kind = member_text(event, "event", "?");
    const char *text = member_text(event, "text", "");

    canvas_put(&canvas, PAINT_DIM, member_text(event, "time", "?"));
    go_to(&canvas, KIND_COLUMN);
    canvas_put(&canvas, paint_of(kind), kind);
    go_to(&canvas, WHO_COLUMN);
    put_who(&canvas, event);
    if (*text != '\0')
        go_to(&canvas, TEXT_COLUMN);
    canvas_put(&canvas, PAINT_NONE, text);
    canvas_end_line(&canvas);
}
