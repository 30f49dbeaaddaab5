/*
 * The life of zombie-distributor: from the configuration to the loop, reloads, the end.
 */
#ifndef ZOMBIE_DISTRIBUTOR_RUN_H
#define ZOMBIE_DISTRIBUTOR_RUN_H

struct conf;
struct conf_args;

/*
 * Run until SIGTERM or SIGINT; an exit status. The conf is the callee's, the args are needed
 * for reloads.
 */
int run_distributor(const struct conf_args *args, struct conf *conf);

#endif
