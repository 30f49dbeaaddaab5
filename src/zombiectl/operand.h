/*
 * The words behind a command, made into the members of a request. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_OPERAND_H
#define ZOMBIE_ZOMBIECTL_OPERAND_H

#include <stddef.h>

#include <jansson.h>

/* Room for the reason of a refusal, terminating NUL included. */
#define OPERAND_ERROR_SIZE 160

/*
 * Each adds to the object `arguments` what `word` says. Returns 0; or -EINVAL
 * with the reason in error; or -ENOMEM with that as the reason.
 */

/* N: "to"; +N or -N (N above 0): "by". */
__attribute__((warn_unused_result)) int operand_scale(const char *word, json_t *arguments,
                                                      char error[OPERAND_ERROR_SIZE]);

/* 1 to 1024: "slot". */
__attribute__((warn_unused_result)) int operand_slot(const char *word, json_t *arguments,
                                                     char error[OPERAND_ERROR_SIZE]);

/* 1 to 1024, or admin: "slot". */
__attribute__((warn_unused_result)) int operand_process(const char *word, json_t *arguments,
                                                        char error[OPERAND_ERROR_SIZE]);

/* A name with or without SIG, in any case, or a number: "signal", as a name without SIG. */
__attribute__((warn_unused_result)) int operand_signal(const char *word, json_t *arguments,
                                                       char error[OPERAND_ERROR_SIZE]);

/* A level of the log: "level". */
__attribute__((warn_unused_result)) int operand_level(const char *word, json_t *arguments,
                                                      char error[OPERAND_ERROR_SIZE]);

#endif
