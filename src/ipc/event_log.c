#include "config.h"

#include "ipc/event_log.h"

#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/log.h"

static void on_message(int severity, const char *message)
{
    static const enum log_level levels[] = {
        [EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
        [EVENT_LOG_MSG] = LOG_LEVEL_INFO,
        [EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
        [EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
    };
    log_write(levels[severity], NULL, 0, "libevent: %s", message);
}

static void on_fatal(int error)
{
    (void)error;
    exit(EX_OSERR);
}

void event_log_install(void)
{
    event_set_log_callback(on_message);
    event_set_fatal_callback(on_fatal);
}
