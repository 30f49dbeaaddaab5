#include "config.h"

#include "discovery/registries/distributor_follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "discovery/driver.h"
#include "discovery/registries/distributor_wire.h"

/* Members that there is room for at first. */
#define FIRST_SIZE 16

int distributor_follow_add(struct distributor_follow *follow, const char *service)
{
    struct distributor_followed *followed = NULL;
    for (size_t i = 0; i < follow->n; i++)
        if (strcmp(follow->services[i]->name, service) == 0)
            followed = follow->services[i];
    if (followed == NULL) {
        if (follow->n == SERVICES_MAX || (followed = calloc(1, sizeof *followed)) == NULL)
            return -ENOMEM;
        snprintf(followed->name, sizeof followed->name, "%s", service);
        follow->services[follow->n++] = followed;
    }
    followed->is_waiting = true;
    followed->is_lost = false;
    return 0;
}

void distributor_follow_again(struct distributor_follow *follow)
{
    for (size_t i = 0; i < follow->n; i++)
        follow->services[i]->is_waiting = !follow->services[i]->is_lost;
}

void distributor_follow_read(struct distributor_follow *follow)
{
    follow->is_short = false;
    for (size_t i = 0; i < follow->n; i++) {
        free(follow->services[i]->members);
        follow->services[i]->members = NULL;
        follow->services[i]->n = follow->services[i]->size = 0;
    }
}

static bool make_member(const struct distributor_node *node, struct member *ret_member)
{
    char id[MEMBER_ID_SIZE];
    size_t len = address_join(node->host, node->port, id, sizeof id);
    member_init(ret_member);
    ret_member->port = node->port;
    return len < sizeof id && member_set_host(ret_member, node->host, strlen(node->host)) &&
           member_set_id(ret_member, id, len);
}

/* Returns room for one more, or NULL. */
static struct member *make_room(struct distributor_followed *followed)
{
    if (followed->n == followed->size) {
        size_t size = followed->size > 0 ? 2 * followed->size : FIRST_SIZE;
        struct member *members = reallocarray(followed->members, size, sizeof *members);
        if (members == NULL)
            return NULL;
        followed->members = members;
        followed->size = size;
    }
    return &followed->members[followed->n];
}

static void add_member(struct distributor_follow *follow, struct distributor_followed *followed,
                       const struct distributor_node *node)
{
    struct member *member = make_room(followed);
    if (member == NULL)
        follow->is_short = true;
    else if (make_member(node, member))
        followed->n++;
}

void distributor_follow_take(struct distributor_follow *follow, const struct distributor_node *node)
{
    for (size_t i = 0; i < follow->n; i++)
        if (strcmp(follow->services[i]->name, node->name) == 0)
            add_member(follow, follow->services[i], node);
}

void distributor_follow_tell(struct distributor_follow *follow, bool to_all,
                             const struct driver_settings *settings)
{
    static const struct member nobody;
    for (size_t i = 0; i < follow->n; i++) {
        struct distributor_followed *followed = follow->services[i];
        struct member *members = followed->members;
        size_t n = followed->n;
        bool is_wanted = !followed->is_lost && (to_all || followed->is_waiting);
        followed->members = NULL;
        followed->n = followed->size = 0;
        followed->is_waiting = followed->is_waiting && !is_wanted;
        if (is_wanted)
            settings->found(followed->name, n > 0 ? members : &nobody, n, settings->arg);
        free(members);
    }
}

void distributor_follow_lose(struct distributor_follow *follow, const char *why,
                             const struct driver_settings *settings)
{
    for (size_t i = 0; i < follow->n; i++) {
        struct distributor_followed *followed = follow->services[i];
        if (!followed->is_waiting)
            continue;
        followed->is_waiting = false;
        followed->is_lost = true;
        settings->lost(followed->name, DRIVER_UNREACHABLE, why, settings->arg);
    }
}

void distributor_follow_clear(struct distributor_follow *follow)
{
    distributor_follow_read(follow);
    for (size_t i = 0; i < follow->n; i++)
        free(follow->services[i]);
    follow->n = 0;
}
