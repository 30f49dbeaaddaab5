/*
 * zombie-server --healthcheck: says in one line how a running server answers.
 */
#ifndef ZOMBIE_HTTP_HEALTHCHECK_H
#define ZOMBIE_HTTP_HEALTHCHECK_H

struct conf;

/* Ask that URL, see probe_target_parse(). Returns the exit status: 0, 1, or 64 (EX_USAGE). */
int healthcheck_at(const char *url);

/* Ask the server that this configuration is for, see probe_target_default(). */
int healthcheck_own(const struct conf *conf);

#endif
