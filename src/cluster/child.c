#include "config.h"

#include "cluster/child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "host/cpu_affinity.h"
#include "host/identity.h"
#include "host/landlock.h"
#include "host/memory.h"
#include "host/oom_score.h"

void child_reset_signals(void)
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

static int close_foreign(const struct child_plan *plan)
{
    size_t n = 0;
    int *kept = calloc(plan->n_fds + 2, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    kept[n++] = STDERR_FILENO;
    if (log_fd() > STDERR_FILENO)
        kept[n++] = log_fd();
    for (size_t i = 0; i < plan->n_fds; i++)
        if (plan->fds[i] > STDERR_FILENO)
            kept[n++] = plan->fds[i];
    qsort(kept, n, sizeof *kept, by_number);
    for (size_t i = 0; i + 1 < n; i++)
        close_gap(kept[i] + 1, kept[i + 1] - 1);
    close_gap(kept[n - 1] + 1, INT32_MAX);
    free(kept);
    return 0;
}

/* What makes a worker a better neighbour; a system that refuses it is no reason not to serve. */
static void take_place(const struct child_plan *plan)
{
    const struct conf_instance *instance = plan->instance;
    struct rlimit core;
    int err = oom_score_raise(instance->oom_score_adj);
    if (err != 0)
        log_debug("cannot raise oom_score_adj: %s", strerror(-err));
    bool pins = instance->cpu_affinity == CONF_AFFINITY_AUTO && plan->role == ROLE_WORKER;
    err = pins ? cpu_affinity_pin(plan->number) : 0;
    if (err != 0)
        log_warning("cannot pin to a CPU: %s, running on any", strerror(-err));
    if (instance->core_dumps && getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = core.rlim_max;
        setrlimit(RLIMIT_CORE, &core);
    }
}

/* No way back to more rights. A change of user has switched core dumps off. */
static int lock_up(const struct child_plan *plan)
{
    const struct conf_instance *instance = plan->instance;
    if (instance->core_dumps)
        prctl(PR_SET_DUMPABLE, 1);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    int abi = instance->landlock ? landlock_restrict(plan->writable) : 0;
    if (abi < 0)
        log_debug("landlock restricts nothing: %s", strerror(-abi));
    return 0;
}

int child_settle(const struct child_plan *plan)
{
    const struct conf_instance *instance = plan->instance;
    char name[16]; /* as the kernel keeps it */
    snprintf(name, sizeof name, "zombie-%s", role_name(plan->role));
    child_reset_signals();
    prctl(PR_SET_NAME, name);
    int err = close_foreign(plan);
    if (err == 0) {
        take_place(plan);
        err = identity_change(instance->user, instance->group, instance->chroot);
    }
    if (err == 0)
        err = lock_up(plan);
    if (err == 0)
        return 0;
    log_error("cannot settle as user \"%s\", group \"%s\", chroot \"%s\": %s", instance->user,
              instance->group, instance->chroot, strerror(-err));
    return EX_OSERR;
}

const char *child_lacks_rights(const struct conf *conf)
{
    const struct conf_instance *instance = &conf->instance;
    if (geteuid() == 0 ||
        (instance->user[0] == '\0' && instance->group[0] == '\0' && instance->chroot[0] == '\0'))
        return NULL;
    return "instance.user, group and chroot need root: start as root or leave them out";
}
