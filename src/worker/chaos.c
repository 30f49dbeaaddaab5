#include "config.h"

#include "worker/chaos.h"

#include <signal.h>
#include <unistd.h>

_Noreturn void chaos_die(enum chaos_mode mode)
{
    static const int signals[CHAOS_MODES] = {
        [CHAOS_KILL] = SIGKILL, [CHAOS_SEGV] = SIGSEGV, [CHAOS_ABORT] = SIGABRT};
    if (signals[mode] != 0) {
        /* A sanitizer's handler would turn the signal into a report and an exit status. */
        signal(signals[mode], SIG_DFL);
        raise(signals[mode]);
    }
    for (;;)
        pause();
}
