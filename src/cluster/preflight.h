/*
 * The trial of an upgrade, in the new program: nothing is changed and nothing
 * is served.
 */
#ifndef ZOMBIE_CLUSTER_PREFLIGHT_H
#define ZOMBIE_CLUSTER_PREFLIGHT_H

struct conf;
struct launch;

/* What a program says, and nothing else, that is fit to take over. */
#define PREFLIGHT_PASSED "zombie-server: fit to take over"

/*
 * Whether this program could go on from the state that launch->state_fd is,
 * under this configuration. Returns the exit status: 0, with PREFLIGHT_PASSED
 * on standard output; or 65 (EX_DATAERR) or
 * 71 (EX_OSERR) with the reason on standard error; the master that asked puts
 * that into its log.
 */
int preflight_run(const struct launch *launch, const struct conf *conf);

#endif
