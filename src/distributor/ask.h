/*
 * zombie-distributor --status: asks the one that runs, and shows its answer.
 */
#ifndef ZOMBIE_DISTRIBUTOR_ASK_H
#define ZOMBIE_DISTRIBUTOR_ASK_H

#include <stdbool.h>

struct conf;

/* Ask on the control socket of the configuration and print to standard output; an exit status. */
int ask_status(const struct conf *conf, bool as_json);

#endif
