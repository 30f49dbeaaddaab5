#include "config.h"

#include "conf/signal_name.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

/* Between the named ones and SIGRTMIN lie signals that the C library keeps for itself. */
static bool exists(long number)
{
    return sigabbrev_np((int)number) != NULL || (number >= SIGRTMIN && number <= SIGRTMAX);
}

static int parse_name(const char *name, long *ret_number)
{
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int number = 1; number < SIGRTMIN; number++) {
        const char *known = sigabbrev_np(number);

        if (known != NULL && strcasecmp(name, known) == 0) {
            *ret_number = number;
            return 0;
        }
    }
    return -EINVAL;
}

int conf_signal_parse(const char *text, long *ret_number)
{
    long number;

    if (number_parse(text, 1, SIGRTMAX, &number) < 0)
        return parse_name(text, ret_number);
    if (!exists(number))
        return -EINVAL;
    *ret_number = number;
    return 0;
}

void conf_signal_format(long number, char buf[CONF_SIGNAL_TEXT_SIZE])
{
    const char *name = sigabbrev_np((int)number);

    if (name != NULL)
        (void)snprintf(buf, CONF_SIGNAL_TEXT_SIZE, "%s", name);
    else
        (void)snprintf(buf, CONF_SIGNAL_TEXT_SIZE, "%ld", number);
}

bool conf_signal_ends(long number)
{
    static const int harmless[] = {SIGSTOP, SIGCONT,  SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD,
                                   SIGURG,  SIGWINCH, SIGINT,  SIGHUP,  SIGUSR1, SIGUSR2,
                                   SIGPIPE, SIGXFSZ,  SIGTERM, SIGQUIT};

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (number == harmless[i])
            return false;
    return true;
}
