#include "config.h"

#include "cluster/role.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "herald/herald.h"

static const char *const names[ROLES] = {
    [ROLE_WORKER] = "worker", [ROLE_ADMIN] = "admin", [ROLE_HERALD] = "herald"};

static const char *const absences[ROLES] = {
    [ROLE_ADMIN] = "admin.listen is off",
    [ROLE_HERALD] =
        "there is no registry, and no upstream has active checks or a name as its server",
};

enum role role_of(unsigned number)
{
    return number <= CONF_WORKERS_MAX ? ROLE_WORKER : (enum role)(number - CONF_WORKERS_MAX);
}

unsigned role_number(enum role role)
{
    return CONF_WORKERS_MAX + role;
}

const char *role_name(enum role role)
{
    return names[role];
}

int role_find(const char *name, enum role *ret_role)
{
    for (int role = 0; role < ROLES; role++) {
        if (strcmp(names[role], name) == 0) {
            *ret_role = (enum role)role;
            return 0;
        }
    }
    return -EINVAL;
}

const char *role_absence(enum role role)
{
    return absences[role];
}

struct roll roll_make(const struct conf *conf, unsigned workers)
{
    struct conf_listen listen;
    struct roll roll = {.workers = workers};
    roll.roles[ROLE_ADMIN] = conf_admin_listen(conf, &listen);
    roll.roles[ROLE_HERALD] = herald_is_wanted(conf);
    return roll;
}

unsigned roll_next(const struct roll *roll, unsigned number)
{
    if (number < roll->workers)
        return number + 1;
    enum role role = number > CONF_WORKERS_MAX ? role_of(number) : ROLE_WORKER;
    while (++role < ROLES)
        if (roll->roles[role])
            return role_number(role);
    return 0;
}

bool roll_has(const struct roll *roll, unsigned number)
{
    if (number == 0 || number > ROLE_NUMBERS)
        return false;
    enum role role = role_of(number);
    return role == ROLE_WORKER ? number <= roll->workers : roll->roles[role];
}

unsigned roll_count(const struct roll *roll)
{
    unsigned n = roll->workers;
    for (int role = ROLE_WORKER + 1; role < ROLES; role++)
        n += roll->roles[role];
    return n;
}
