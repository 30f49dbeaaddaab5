/*
 * Who writes the directory of services: the herald of the generation that serves, and nobody else.
 */
#ifndef ZOMBIE_CLUSTER_WRITER_H
#define ZOMBIE_CLUSTER_WRITER_H

struct master;

/* Give it to that one, if another one has it or it is dead. For each turn, after births. */
void writer_step(struct master *master);

#endif
