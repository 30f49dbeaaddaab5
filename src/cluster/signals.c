#include "config.h"

#include "cluster/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster/kill.h"
#include "cluster/master_state.h"

/* Who may mean the master by a signal. */
enum sender { ANYBODY, PROCESSES_ONLY };

/*
 * Those with a meaning. All others are taken as well, since the default of most
 * would end the master: stopping a container may send SIGRTMIN+3.
 */
static const struct {
    int number;
    unsigned wants;
    bool quiet;
    enum sender sender;
} table[] = {
    {SIGTERM, WANT_STOP, false, ANYBODY},
    {SIGINT, WANT_STOP, false, ANYBODY},
    {SIGQUIT, WANT_STOP_UNHURRIED, false, ANYBODY},
    {SIGCHLD, WANT_REAP, true, ANYBODY},
    {SIGHUP, WANT_RELOAD, false, ANYBODY},
    {SIGUSR1, WANT_REOPEN, false, ANYBODY},
    {SIGUSR2, WANT_UPGRADE, false, ANYBODY},
    /* The kernel sends these for what happens to a terminal, a change of its size for one. */
    {SIGTTIN, WANT_MORE, false, PROCESSES_ONLY},
    {SIGTTOU, WANT_FEWER, false, PROCESSES_ONLY},
    {SIGWINCH, WANT_PAUSE, false, PROCESSES_ONLY},
    {SIGXFSZ, 0, true, ANYBODY}, /* the write that was too much fails with EFBIG */
    {SIGPIPE, 0, true, ANYBODY}, /* ... with EPIPE */
};

/* A fault of the program itself; and what a shell stops and continues a job with. */
static const int left_alone[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGTRAP,
                                 SIGSYS,  SIGABRT, SIGTSTP, SIGCONT};

#define ROWS (sizeof table / sizeof table[0])

/*
 * An ignored signal would never reach the descriptor; nohup(1) ignores SIGHUP.
 * Only those are touched: to set the default anew drops what is pending of a
 * signal that the default ignores, and after an upgrade something may be.
 */
static void unignore(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
        signal(number, SIG_DFL);
}

int signals_open(void)
{
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof left_alone / sizeof left_alone[0]; i++)
        sigdelset(&set, left_alone[i]);
    for (size_t i = 0; i < ROWS; i++)
        unignore(table[i].number);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* What a predecessor has left pending by signals_raise() was in the log already. */
static void announce(const struct signalfd_siginfo *info, const char *meaning)
{
    char name[KILL_SIGNAL_SIZE];
    if ((pid_t)info->ssi_pid == getpid())
        return;
    kill_signal_name((int)info->ssi_signo, name);
    log_info("got %s from process %d%s", name, (int)info->ssi_pid, meaning);
}

static unsigned take(const struct signalfd_siginfo *info)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].number != (int)info->ssi_signo)
            continue;
        if (table[i].sender == PROCESSES_ONLY && info->ssi_code == SI_KERNEL)
            return 0;
        if (!table[i].quiet)
            announce(info, "");
        return table[i].wants;
    }
    announce(info, ", which means nothing here");
    return 0;
}

unsigned signals_read(int fd)
{
    struct signalfd_siginfo info;
    unsigned wants = 0;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        wants |= take(&info);
    return wants;
}

void signals_raise(unsigned wants)
{
    for (size_t i = 0; i < ROWS; i++)
        if ((table[i].wants & wants) != 0)
            kill(getpid(), table[i].number);
}
