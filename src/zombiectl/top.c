/* The command top: the status, asked for again and again, on the whole terminal. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "control/client.h"
#include "zombiectl/canvas.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/screen.h"
#include "zombiectl/talk.h"
#include "zombiectl/terminal.h"
#include "zombiectl/view_status.h"
#include "zombiectl/zombiectl.h"

/* How often the server is asked. */
#define PERIOD_MS 1000

/* How long it may take to answer before that is worth a remark. */
#define SLOW_MS 3000

#define CTRL_C 3

struct top {
    struct zombiectl *ctl;
    struct screen screen;
    json_t *status;      /* the latest; NULL before the first */
    json_t *refusal;     /* why the server gives none; NULL otherwise */
    const char *trouble; /* what is wrong at the moment; NULL: nothing */
    bool asking;
    int64_t asked_ms;
};

static void draw_title(struct canvas *canvas, const struct top *top)
{
    char text[16] = "";
    time_t now = time(NULL);
    struct tm local;

    if (localtime_r(&now, &local) != NULL)
        (void)strftime(text, sizeof(text), "%H:%M:%S", &local);
    canvas_print(canvas, PAINT_DIM, "zombiectl top, %s, q quits", text);
    if (top->trouble != NULL) {
        canvas_flow(canvas, PAINT_NONE, "  ");
        canvas_flow(canvas, PAINT_BAD, top->trouble);
    }
    canvas_end_line(canvas);
}

static void draw(const struct top *top)
{
    struct terminal_size size = terminal_size(STDOUT_FILENO);
    struct bytes out = {0};
    struct canvas canvas = {.out = &out, .width = size.columns, .colour = top->ctl->colour};

    draw_title(&canvas, top);
    if (top->status != NULL)
        view_status_draw(&out, top->status, size.columns, top->ctl->colour);
    if (!out.failed)
        screen_show(out.at, size);
    bytes_free(&out);
}

static void quit(struct top *top)
{
    (void)event_base_loopbreak(top->ctl->base);
}

static void on_heard(const json_t *line, bool is_last, void *arg)
{
    struct top *top = arg;

    if (!is_last)
        return;
    top->asking = false;
    if (line == NULL) {
        top->trouble = "the server has gone, trying again";
        talk_close(top->ctl);
    } else if (!member_is_true(line, "ok")) {
        top->refusal = json_deep_copy(line);
        quit(top);
        return;
    } else {
        json_decref(top->status);
        top->status = json_incref(json_object_get(line, "result"));
        top->trouble = NULL;
    }
    draw(top);
}

static const char *connect_again(struct top *top)
{
    int err = control_client_connect(top->ctl->base, top->ctl->socket_path, &top->ctl->client);

    switch (-err) {
    case 0:
        return NULL;
    case ENOENT:
        return "the server has gone, and so has its socket; trying again";
    case ECONNREFUSED:
        return "the server has gone, nobody listens on its socket; trying again";
    default:
        return "the server has gone, and cannot be reached; trying again";
    }
}

static void ask(struct top *top)
{
    top->asked_ms = clock_now_ms();
    top->asking = control_client_ask(top->ctl->client, "status", NULL, on_heard, top) != 0;
    if (!top->asking) {
        talk_close(top->ctl);
        top->trouble = "the server has gone, trying again";
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct top *top = arg;

    (void)fd;
    (void)what;
    if (top->ctl->client == NULL)
        top->trouble = connect_again(top);
    if (top->asking && clock_now_ms() - top->asked_ms > SLOW_MS)
        top->trouble = "the server does not answer, waiting";
    if (top->ctl->client != NULL && !top->asking)
        ask(top);
    draw(top);
}

static void on_keys(evutil_socket_t fd, short what, void *arg)
{
    char keys[64];
    ssize_t n = read(fd, keys, sizeof(keys));

    (void)what;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        quit(arg); /* the terminal is gone */
    for (ssize_t i = 0; i < n; i++)
        if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == CTRL_C)
            quit(arg);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct top *top = arg;

    (void)what;
    if (number == SIGCONT)
        screen_again(&top->screen);
    if (number == SIGCONT || number == SIGWINCH)
        draw(top);
    else
        quit(top);
}

/* Run the loop until somebody quits. */
static int watch(struct top *top)
{
    static const int signals[] = {SIGWINCH, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    static const struct timeval period = {.tv_sec = PERIOD_MS / 1000};
    struct event_base *base = top->ctl->base;
    struct event *events[sizeof(signals) / sizeof(signals[0]) + 2];
    size_t n = 0;
    int status = ZOMBIECTL_DONE;

    events[n++] = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_keys, top);
    events[n++] = event_new(base, -1, EV_PERSIST, on_tick, top);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        events[n++] = evsignal_new(base, signals[i], on_signal, top);
    for (size_t i = 0; i < n; i++)
        if (events[i] == NULL || event_add(events[i], i == 1 ? &period : NULL) < 0)
            status = ZOMBIECTL_FAILED;
    on_tick(-1, 0, top);
    if (status == 0)
        (void)event_base_dispatch(base);
    for (size_t i = 0; i < n; i++)
        if (events[i] != NULL)
            event_free(events[i]);
    return status;
}

static int check(const struct zombiectl *ctl)
{
    if (ctl->json)
        say_error("top draws for people; use status --json");
    else if (!terminal_understands(STDOUT_FILENO) || isatty(STDIN_FILENO) != 1)
        say_error("top needs a terminal that understands escape sequences; use status");
    else
        return 0;
    return ZOMBIECTL_USAGE;
}

int top_command(struct zombiectl *ctl, int n_operands, char **operands)
{
    struct top top = {.ctl = ctl};
    int status = check(ctl);

    (void)n_operands;
    (void)operands;
    if (status == 0)
        status = talk_open(ctl);
    if (status != 0)
        return status;
    if (screen_enter(&top.screen) < 0)
        return ZOMBIECTL_USAGE;
    status = watch(&top);
    screen_leave(&top.screen);
    if (status != 0)
        say_error("cannot watch the terminal: %s", strerror(errno));
    if (top.refusal != NULL)
        status = talk_verdict(top.refusal);
    json_decref(top.refusal);
    json_decref(top.status);
    return status;
}
