#include "config.h"

#include "cluster/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster/master_state.h"

/* Rows with wants 0 are taken too: their default would end the master. */
static const struct {
    int number;
    unsigned wants;
    bool quiet;
} table[] = {
    {SIGTERM, WANT_STOP, false}, {SIGINT, WANT_STOP, false}, {SIGQUIT, WANT_STOP_UNHURRIED, false},
    {SIGCHLD, WANT_REAP, true},  {SIGHUP, 0, false},         {SIGUSR1, 0, false},
    {SIGUSR2, 0, false},         {SIGTTIN, 0, false},        {SIGTTOU, 0, false},
    {SIGALRM, 0, false},         {SIGVTALRM, 0, false},      {SIGPROF, 0, false},
    {SIGIO, 0, false},           {SIGPWR, 0, false},         {SIGXCPU, 0, false},
    {SIGXFSZ, 0, true}, /* the write that was too much fails with EFBIG */
    {SIGPIPE, 0, true}, /* ... with EPIPE */
    {SIGWINCH, 0, true},
};

#define ROWS (sizeof table / sizeof table[0])

int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ROWS; i++) {
        /* An ignored signal would never reach the descriptor; nohup(1) ignores SIGHUP. */
        signal(table[i].number, SIG_DFL);
        sigaddset(&set, table[i].number);
    }
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

static unsigned take(const struct signalfd_siginfo *info)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].number != (int)info->ssi_signo)
            continue;
        if (!table[i].quiet)
            log_info("got SIG%s from process %d%s", sigabbrev_np(table[i].number),
                     (int)info->ssi_pid, table[i].wants == 0 ? ", which means nothing here" : "");
        return table[i].wants;
    }
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
