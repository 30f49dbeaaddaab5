#include "config.h"

#include "life/orphan.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The one signal that also wakes a process that somebody has stopped. */
#define MASTER_DIED SIGCONT

/* Read by a signal handler, so they cannot live on a stack. */
static volatile sig_atomic_t grace_seconds;
static volatile sig_atomic_t master_pid;

static void on_master_died(int signal_number)
{
    (void)signal_number;
    if (getppid() != master_pid) /* else somebody only goes on after a stop */
        alarm((unsigned)grace_seconds);
}

static int seconds(long ms)
{
    return (int)(ms / 1000 + 1);
}

void orphan_watch(pid_t master, long grace_ms)
{
    struct sigaction action = {.sa_handler = on_master_died, .sa_flags = SA_RESTART};
    grace_seconds = seconds(grace_ms);
    master_pid = master;
    sigaction(MASTER_DIED, &action, NULL);
    prctl(PR_SET_PDEATHSIG, MASTER_DIED);
    if (getppid() != master)
        orphan_deadline(grace_ms);
}

/*
 * Who sees the channel end is told by the kernel a moment later, for nothing, and
 * perhaps at its very end, where a SIGCONT undoes the stop that LeakSanitizer waits for.
 */
void orphan_deadline(long grace_ms)
{
    alarm((unsigned)seconds(grace_ms));
    prctl(PR_SET_PDEATHSIG, 0);
}
