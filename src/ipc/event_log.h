/*
 * What libevent has to say goes where everything else goes.
 */
#ifndef ZOMBIE_IPC_EVENT_LOG_H
#define ZOMBIE_IPC_EVENT_LOG_H

/*
 * Route libevent's messages into the log, and end the process with status 71
 * (EX_OSERR) where libevent cannot go on. Children inherit both.
 */
void event_log_install(void);

#endif
