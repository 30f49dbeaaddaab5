#include "config.h"

#include "zombiectl/talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "control/client.h"
#include "control/path.h"
#include "zombiectl/arguments.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/zombiectl.h"

/* Between two attempts to connect. */
#define PAUSE_MS 100

/* Root's is in /run, where only root can have given its folder to another user. */
static const char *find_fault(const char *path)
{
    return geteuid() != 0 ? control_path_fault(path) : NULL;
}

/* The path for whom nobody has named one; NULL, and said why: there is none. */
static const char *find_usual(void)
{
    static char path[CONTROL_PATH_SIZE];
    const char *fault;

    if (control_path_default(path) < 0) {
        say_error("the usual path of the control socket is too long, because XDG_RUNTIME_DIR is: "
                  "use -s or ZOMBIE_CONTROL");
        return NULL;
    }
    fault = find_fault(path);
    if (fault == NULL)
        return path;
    say_error("%s is not to be trusted: %s; use -s or ZOMBIE_CONTROL", path, fault);
    return NULL;
}

int talk_locate(struct zombiectl *ctl)
{
    const char *named = ctl->arguments->socket_path;

    if (named == NULL || *named == '\0')
        named = getenv("ZOMBIE_CONTROL");
    if (named == NULL || *named == '\0')
        named = find_usual();
    ctl->socket_path = named;
    return named != NULL ? 0 : ZOMBIECTL_NOT_RUNNING;
}

static bool is_socket(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0 || S_ISSOCK(status.st_mode);
}

int talk_explain(const char *path, int err)
{
    switch (-err) {
    case ENOENT:
    case ENOTDIR:
        say_error("zombie-server does not run, or its control socket is elsewhere: there is no "
                  "%s; use -s or ZOMBIE_CONTROL",
                  path);
        return ZOMBIECTL_NOT_RUNNING;
    case ECONNREFUSED:
        if (!is_socket(path)) {
            say_error("%s is no socket", path);
            return ZOMBIECTL_USAGE;
        }
        say_error("zombie-server does not run: %s belongs to a process that is gone", path);
        return ZOMBIECTL_NOT_RUNNING;
    case EACCES:
    case EPERM:
        say_error("not allowed to use %s: %s", path, strerror(-err));
        return ZOMBIECTL_NOT_ALLOWED;
    case ENAMETOOLONG:
        say_error("%s: the path of a socket may have %d bytes at most", path,
                  CONTROL_PATH_SIZE - 1);
        return ZOMBIECTL_USAGE;
    default:
        say_error("cannot connect to %s: %s", path, strerror(-err));
        return ZOMBIECTL_FAILED;
    }
}

int talk_open(struct zombiectl *ctl)
{
    int status = talk_locate(ctl);
    int err;

    if (status != 0)
        return status;
    err = control_client_connect(ctl->base, ctl->socket_path, &ctl->client);
    return err < 0 ? talk_explain(ctl->socket_path, err) : 0;
}

void talk_close(struct zombiectl *ctl)
{
    control_client_free(ctl->client);
    ctl->client = NULL;
}

void talk_pause(struct zombiectl *ctl)
{
    const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};

    (void)event_base_loopexit(ctl->base, &pause);
    while (!event_base_got_exit(ctl->base))
        if (event_base_loop(ctl->base, EVLOOP_NO_EXIT_ON_EMPTY) != 0)
            break;
}

int talk_reopen(struct zombiectl *ctl)
{
    int64_t begun_ms = clock_now_ms();
    int err;

    for (;;) {
        talk_close(ctl);
        err = control_client_connect(ctl->base, ctl->socket_path, &ctl->client);
        if (err == 0)
            return 0;
        if (clock_now_ms() - begun_ms > TALK_GONE_MS)
            return talk_explain(ctl->socket_path, err);
        talk_pause(ctl);
    }
}

/* One question and what has become of it. */
struct talk {
    struct zombiectl *ctl;
    talk_piece *piece;
    void *arg;
    struct timeval patience;
    struct event *timer; /* NULL: without a limit */
    uint64_t id;
    json_t *end;
    bool is_over;
    enum talk_outcome outcome;
};

static void finish(struct talk *talk, enum talk_outcome outcome)
{
    talk->is_over = true;
    talk->outcome = outcome;
    (void)event_base_loopbreak(talk->ctl->base);
}

static void on_heard(const json_t *line, bool is_last, void *arg)
{
    struct talk *talk = arg;

    if (is_last) {
        talk->end = line != NULL ? json_deep_copy(line) : NULL;
        finish(talk, talk->end != NULL ? TALK_ANSWERED : TALK_LOST);
        return;
    }
    if (talk->timer != NULL)
        (void)event_add(talk->timer, &talk->patience);
    if (talk->piece != NULL && !talk->piece(line, talk->arg)) {
        control_client_forget(talk->ctl->client, talk->id);
        finish(talk, TALK_ENOUGH);
    }
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct talk *talk = arg;

    (void)fd;
    (void)what;
    control_client_forget(talk->ctl->client, talk->id);
    finish(talk, TALK_LATE);
}

enum talk_outcome talk_try(struct zombiectl *ctl, const char *command, json_t *arguments,
                           int wait_ms, talk_piece *piece, void *arg, json_t **ret_end)
{
    struct talk talk = {
        .ctl = ctl,
        .piece = piece,
        .arg = arg,
        .patience = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000},
        .outcome = TALK_LOST,
    };

    talk.id = control_client_ask(ctl->client, command, arguments, on_heard, &talk);
    if (talk.id == 0)
        return TALK_LOST;
    if (wait_ms != TALK_PATIENT)
        talk.timer = evtimer_new(ctl->base, on_late, &talk);
    if (talk.timer != NULL)
        (void)event_add(talk.timer, &talk.patience);
    while (!talk.is_over)
        if (event_base_loop(ctl->base, EVLOOP_ONCE) != 0)
            break;
    if (talk.timer != NULL)
        event_free(talk.timer);
    if (talk.outcome == TALK_ANSWERED)
        *ret_end = talk.end;
    return talk.outcome;
}

int talk_conclude(enum talk_outcome outcome, int wait_ms)
{
    switch (outcome) {
    case TALK_ANSWERED:
    case TALK_ENOUGH:
        return 0;
    case TALK_LATE:
        say_error("the server has not answered within %d s", wait_ms / 1000);
        break;
    case TALK_LOST:
        say_error("the server has ended the connection before its answer was complete: it has "
                  "stopped, was killed, or executes another program");
        break;
    }
    return ZOMBIECTL_FAILED;
}

int talk_ask(struct zombiectl *ctl, const char *command, json_t *arguments, int wait_ms,
             talk_piece *piece, void *arg, json_t **ret_end)
{
    json_t *end = NULL;
    int status =
        talk_conclude(talk_try(ctl, command, arguments, wait_ms, piece, arg, &end), wait_ms);

    if (status == 0)
        *ret_end = end;
    return status;
}

int talk_verdict(const json_t *end)
{
    static const struct {
        const char *error;
        int status;
    } rows[] = {
        {"bad-request", ZOMBIECTL_USAGE},       {"unknown-command", ZOMBIECTL_USAGE},
        {"bad-argument", ZOMBIECTL_USAGE},      {"unknown-slot", ZOMBIECTL_USAGE},
        {"not-allowed", ZOMBIECTL_NOT_ALLOWED},
    };
    const char *error = member_text(end, "error", "failed");

    if (member_is_true(end, "ok"))
        return ZOMBIECTL_DONE;
    say_error("%s", member_text(end, "text", error));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(error, rows[i].error) == 0)
            return rows[i].status;
    return ZOMBIECTL_FAILED;
}

int talk_fetch(struct zombiectl *ctl, const char *command, json_t *arguments, json_t **ret_result)
{
    json_t *end = NULL;
    int status = talk_ask(ctl, command, arguments, TALK_PROMPT_MS, NULL, NULL, &end);

    if (status == 0)
        status = talk_verdict(end);
    if (status == 0)
        *ret_result = json_incref(json_object_get(end, "result"));
    json_decref(end);
    return status;
}
