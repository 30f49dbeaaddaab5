#include "config.h"

#include "cluster/writer.h"

#include "cluster/master_state.h"
#include "cluster/table.h"
#include "discovery/directory.h"
#include "discovery/discovery.h"

/* 0: there is none now. */
static pid_t find_herald(struct master *master)
{
    const struct slot *slot = table_holder(master, role_number(ROLE_HERALD));
    return slot != NULL && slot_is_alive(slot->state) ? slot->pid : 0;
}

void writer_step(struct master *master)
{
    struct directory *directory = master->directory;
    bool is_wanted = discovery_is_wanted(master->conf);
    pid_t herald = is_wanted ? find_herald(master) : 0;
    if (directory_writer(directory) == herald)
        return;
    if (herald != 0)
        directory_give(directory, herald);
    else if (is_wanted)
        directory_orphan(directory);
    else
        directory_clear(directory);
}
