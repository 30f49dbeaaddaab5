/*
 * What this build is made of.
 */
#ifndef ZOMBIE_CONF_VERSION_H
#define ZOMBIE_CONF_VERSION_H

#include <stdio.h>

/* Print the version of the program of that name and those of the libraries it runs with. */
void version_print(FILE *out, const char *program);

#endif
