/* The journal, and what is added to it. */
#include "config.h"

#include "cluster/commands.h"
#include "cluster/event_json.h"
#include "cluster/journal.h"
#include "cluster/master_state.h"

/* So many pieces of an answer a turn: the loop has other things to do. */
#define PIECES_PER_TURN 256

/* `mark` is the sequence of the last event that was sent. */
static enum operation_state send_events(struct operation *operation, int64_t now_ms)
{
    const struct journal *journal = &operation->master->journal;
    const struct journal_entry *entry;
    (void)now_ms;
    for (int i = 0; i < PIECES_PER_TURN; i++) {
        entry = journal_from(journal, operation->mark + 1);
        if (entry == NULL || operation->request == NULL)
            break;
        operation->mark = entry->sequence;
        control_send(operation->request, "event", event_json(entry));
    }
    if (operation->request == NULL)
        return OPERATION_OVER;
    return operation->arguments.follow ? OPERATION_GOES_ON
                                       : operation_succeed(operation, NULL, "%s", "");
}

static enum operation_state begin_events(struct operation *operation, int64_t now_ms)
{
    operation->mark = (uint64_t)operation->arguments.since;
    return send_events(operation, now_ms);
}

const struct command command_events = {
    .name = "events",
    .arguments = " follow since ",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_AT_ONCE,
    .begin = begin_events,
    .go_on = send_events,
    .only_tells = true,
};
