/*
 * What the tests of commands share: a control server that remembers the answer,
 * and orders to be understood. Needs --wrap=control_fail,--wrap=control_succeed.
 */
#ifndef ZOMBIE_TESTS_COMMANDS_FIXTURE_H
#define ZOMBIE_TESTS_COMMANDS_FIXTURE_H

#include <stdbool.h>

#include <jansson.h>

#include "cluster/operation.h"

/* Whether the admin child asks; set-up says no. */
extern bool fixture_by_admin;

/* How often the last order was answered, and what. */
extern int fixture_answers;
extern enum control_error fixture_error; /* CONTROL_ERRORS: it has succeeded */
extern char fixture_text[400];           /* and the result, if there is one */

int fixture_setup_commands(void **state);

/* Give an order. */
struct operation fixture_ask(const char *command, const json_t *arguments);

/* The same of a text with ' for ". */
struct operation fixture_ask_text(const char *command, const char *text);

bool fixture_understood(const struct operation *operation);

#endif
