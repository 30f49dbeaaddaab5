/* The commands that change something: give the order, show how far it is, say what happened. */
#include "config.h"

#include <inttypes.h>

#include <event2/event.h>

#include "control/client.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/operand.h"
#include "zombiectl/orders.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/zombiectl.h"

bool orders_show_progress(const json_t *line, void *arg)
{
    const struct zombiectl *ctl = arg;
    const json_t *progress = json_object_get(line, "progress");
    const char *text = member_text(line, "text", NULL);
    int64_t done, total;

    if (text != NULL)
        say_progress(ctl->error_terminal, "%s", text);
    else if (member_int(progress, "done", &done) && member_int(progress, "total", &total))
        say_progress(ctl->error_terminal, "%" PRId64 " of %" PRId64, done, total);
    return true;
}

int orders_conclude(const struct zombiectl *ctl, json_t *end)
{
    int status = talk_verdict(end);

    if (ctl->json) {
        (void)json_object_del(end, "id");
        say_json(end);
    } else if (status == 0) {
        say_text(member_text(end, "text", "done"));
    }
    return status;
}

int orders_give(struct zombiectl *ctl, const char *command, json_t *arguments)
{
    json_t *end = NULL;
    int status = talk_open(ctl);

    if (status != 0) {
        json_decref(arguments);
        return status;
    }
    status = talk_ask(ctl, command, arguments, TALK_PATIENT, orders_show_progress, ctl, &end);
    if (status == 0)
        status = orders_conclude(ctl, end);
    json_decref(end);
    return status;
}

typedef int read_operand(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE]);

/* Give the order with what its operands say, as far as there are any. */
static int give_read(struct zombiectl *ctl, char **operands, read_operand *const *readers)
{
    char error[OPERAND_ERROR_SIZE] = "out of memory";
    json_t *arguments = json_object();
    int err = arguments != NULL ? 0 : -1;

    for (size_t i = 0; err == 0 && readers[i] != NULL && operands[1 + i] != NULL; i++)
        err = readers[i](operands[1 + i], arguments, error);
    if (err < 0) {
        say_error("%s", error);
        json_decref(arguments);
        return ZOMBIECTL_USAGE;
    }
    return orders_give(ctl, operands[0], arguments);
}

int orders_reload(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return orders_give(ctl, operands[0], NULL);
}

int orders_reopen_logs(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return orders_give(ctl, operands[0], NULL);
}

int orders_restart(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return give_read(ctl, operands, (read_operand *const[]){operand_process, NULL});
}

int orders_scale(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return give_read(ctl, operands, (read_operand *const[]){operand_scale, NULL});
}

int orders_drain(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return give_read(ctl, operands, (read_operand *const[]){operand_slot, NULL});
}

int orders_kill(struct zombiectl *ctl, int n_operands, char **operands)
{
    char *words[] = {operands[0], operands[1], n_operands > 2 ? operands[2] : (char[]){"KILL"},
                     NULL};

    return give_read(ctl, words, (read_operand *const[]){operand_process, operand_signal, NULL});
}

int orders_log_level(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    return give_read(ctl, operands, (read_operand *const[]){operand_level, NULL});
}

/* The master answers just before it exits: what comes next should find it gone. */
static void await_disconnection(struct zombiectl *ctl)
{
    const struct timeval turn = {.tv_usec = 10000};

    for (int turns = 500; turns > 0 && control_client_is_connected(ctl->client); turns--) {
        (void)event_base_loopexit(ctl->base, &turn);
        (void)event_base_dispatch(ctl->base);
    }
}

int orders_stop(struct zombiectl *ctl, int n_operands, char **operands)
{
    int status = orders_give(ctl, operands[0], json_pack("{s:b}", "fast", ctl->arguments->fast));

    (void)n_operands;
    if (status == 0)
        await_disconnection(ctl);
    return status;
}
