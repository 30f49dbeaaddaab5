/*
 * The master: binds, forks, supervises, and never dies of what happens to the
 * others.
 */
#ifndef ZOMBIE_CLUSTER_MASTER_H
#define ZOMBIE_CLUSTER_MASTER_H

struct conf;
struct launch;

/*
 * Run the instance until it is told to stop; conf is the master's from here on.
 * When launch says that a predecessor left a state, go on where it stopped.
 * Returns the exit status: 0
 * stopped as asked, 1 crash loop with on_crash_loop = exit, 71 (EX_OSERR) when
 * it could not start; the log says why. In a daemon the caller's process does
 * not return from here: it exits once the instance listens or has failed.
 */
int master_run(const struct launch *launch, struct conf *conf);

#endif
