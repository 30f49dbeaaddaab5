/*
 * What the log is told when a server of an upstream fails.
 */
#ifndef ZOMBIE_PROXY_PROXY_LOG_H
#define ZOMBIE_PROXY_PROXY_LOG_H

struct forward;

/*
 * Write which server, which attempt, after what time, and why; ten lines a second
 * at most, the next one says how many were left out.
 */
void proxy_log(struct forward *forward, const char *why);

#endif
