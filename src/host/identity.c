#include "config.h"

#include "host/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Who the process is to be, looked up while /etc can still be seen. */
struct identity {
    const struct passwd *user; /* NULL: as started */
    gid_t gid;
    bool changes_group;
};

static int look_up(const char *user, const char *group, struct identity *ret_identity)
{
    const struct group *entry = NULL;
    struct identity identity = {.user = NULL};
    if (user[0] != '\0' && (identity.user = getpwnam(user)) == NULL)
        return -ENOENT;
    if (group[0] != '\0' && (entry = getgrnam(group)) == NULL)
        return -ENOENT;
    identity.changes_group = identity.user != NULL || entry != NULL;
    if (identity.changes_group)
        identity.gid = entry != NULL ? entry->gr_gid : identity.user->pw_gid;
    *ret_identity = identity;
    return 0;
}

static int join_groups(const struct identity *identity)
{
    if (!identity->changes_group)
        return 0;
    int rc = identity->user != NULL ? initgroups(identity->user->pw_name, identity->gid)
                                    : setgroups(1, &identity->gid);
    return rc == 0 ? 0 : -errno;
}

static int change_root(const char *folder)
{
    if (folder[0] == '\0')
        return 0;
    return chroot(folder) == 0 && chdir("/") == 0 ? 0 : -errno;
}

int identity_change(const char *user, const char *group, const char *root)
{
    struct identity identity;
    int err = look_up(user, group, &identity);
    if (err == 0)
        err = join_groups(&identity);
    if (err == 0)
        err = change_root(root);
    if (err == 0 && identity.changes_group && setgid(identity.gid) != 0)
        err = -errno;
    if (err == 0 && identity.user != NULL && setuid(identity.user->pw_uid) != 0)
        err = -errno;
    return err;
}
