#include "config.h"

#include "cluster/event_json.h"

#include "cluster/journal.h"
#include "cluster/role.h"
#include "control/text.h"

/* A number that is 0 when there is none. */
static json_t *number(uint64_t value)
{
    return value != 0 ? json_integer((json_int_t)value) : json_null();
}

json_t *event_json(const struct journal_entry *entry)
{
    bool is_about_child = entry->slot != 0;
    enum role role = is_about_child ? role_of(entry->slot) : ROLE_WORKER;
    bool has_slot = is_about_child && role == ROLE_WORKER;
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "seq",
                     (json_int_t)entry->sequence, "time", control_time(entry->wall_ms), "event",
                     journal_kind_name(entry->kind), "worker", number(entry->worker), "slot",
                     number(has_slot ? entry->slot : 0), "role",
                     is_about_child ? json_string(role_name(role)) : json_null(), "pid",
                     number((uint64_t)entry->pid), "generation", (json_int_t)entry->generation,
                     "text", control_text(entry->text));
}
