#include "config.h"

#include "cluster/child.h"

#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "worker/worker.h"

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* close_range(2) came with Linux 5.9; before, or where a sandbox forbids it, one by one. */
static void close_gap(int first, int last)
{
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd <= last && fd < limit; fd++)
        close(fd);
}

static int close_foreign(const struct worker_birth *birth)
{
    size_t n = 0;
    int *kept = calloc(birth->n_listeners + 3, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    kept[n++] = STDERR_FILENO;
    kept[n++] = birth->channel_fd;
    if (log_fd() > STDERR_FILENO)
        kept[n++] = log_fd();
    for (size_t i = 0; i < birth->n_listeners; i++)
        kept[n++] = birth->listeners[i];
    qsort(kept, n, sizeof *kept, by_number);
    for (size_t i = 0; i + 1 < n; i++)
        close_gap(kept[i] + 1, kept[i + 1] - 1);
    close_gap(kept[n - 1] + 1, INT32_MAX);
    free(kept);
    return 0;
}

static int become_group(const char *name)
{
    const struct group *group = getgrnam(name);
    if (group == NULL)
        return -ENOENT;
    if (setgroups(1, &group->gr_gid) != 0 || setgid(group->gr_gid) != 0)
        return -errno;
    return 0;
}

/* The user with all its groups; the group named, if any, takes the place of the user's own. */
static int become_user(const char *name, const char *group_name)
{
    const struct passwd *user = getpwnam(name);
    const struct group *group = group_name[0] != '\0' ? getgrnam(group_name) : NULL;
    if (user == NULL || (group == NULL && group_name[0] != '\0'))
        return -ENOENT;
    gid_t gid = group != NULL ? group->gr_gid : user->pw_gid;
    if (initgroups(user->pw_name, gid) != 0 || setgid(gid) != 0 || setuid(user->pw_uid) != 0)
        return -errno;
    return 0;
}

static int change_identity(const struct conf_instance *instance)
{
    if (instance->user[0] != '\0')
        return become_user(instance->user, instance->group);
    return instance->group[0] != '\0' ? become_group(instance->group) : 0;
}

int child_settle(const struct worker_birth *birth)
{
    reset_signals();
    prctl(PR_SET_NAME, "zombie-worker");
    int err = close_foreign(birth);
    if (err == 0)
        err = change_identity(&birth->conf->instance);
    if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        err = -errno;
    if (err == 0)
        return 0;
    log_error("cannot settle as user \"%s\", group \"%s\": %s", birth->conf->instance.user,
              birth->conf->instance.group, strerror(-err));
    return EX_OSERR;
}

int child_check_user(const struct conf *conf)
{
    if (geteuid() == 0 || (conf->instance.user[0] == '\0' && conf->instance.group[0] == '\0'))
        return 0;
    log_error("instance.user and instance.group need root: start as root or leave them out");
    return -EPERM;
}
