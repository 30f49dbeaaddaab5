#include "config.h"

#include "zombiectl/operand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log_line.h"
#include "base/number.h"
#include "conf/signal_name.h"

/* As many slots as an instance can have. */
#define SLOT_MAX 1024

/* Far beyond what any configuration allows: the server says what that is. */
#define SCALE_MAX 1000000

static int add(json_t *arguments, const char *key, json_t *value, char error[OPERAND_ERROR_SIZE])
{
    if (json_object_set_new(arguments, key, value) == 0)
        return 0;
    (void)snprintf(error, OPERAND_ERROR_SIZE, "%s", strerror(ENOMEM));
    return -ENOMEM;
}

int operand_scale(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE])
{
    bool relative = *word == '+' || *word == '-';
    long number;

    if (number_parse(relative ? word + 1 : word, relative ? 1 : 0, SCALE_MAX, &number) < 0) {
        (void)snprintf(error, OPERAND_ERROR_SIZE,
                       "'%.40s' is no number of workers: N, +N for more or -N for fewer", word);
        return -EINVAL;
    }
    return add(arguments, relative ? "by" : "to", json_integer(*word == '-' ? -number : number),
               error);
}

int operand_slot(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE])
{
    long number;

    if (number_parse(word, 1, SLOT_MAX, &number) < 0) {
        (void)snprintf(error, OPERAND_ERROR_SIZE, "'%.40s' is no slot: 1 to %d", word, SLOT_MAX);
        return -EINVAL;
    }
    return add(arguments, "slot", json_integer(number), error);
}

int operand_process(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE])
{
    int err;

    if (strcmp(word, "admin") == 0 || strcmp(word, "herald") == 0)
        return add(arguments, "slot", json_string(word), error);
    err = operand_slot(word, arguments, error);
    if (err == -EINVAL)
        (void)snprintf(error, OPERAND_ERROR_SIZE, "'%.40s' is no slot: 1 to %d, admin or herald",
                       word, SLOT_MAX);
    return err;
}

int operand_signal(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE])
{
    char name[CONF_SIGNAL_TEXT_SIZE];
    long number;

    if (conf_signal_parse(word, &number) < 0) {
        (void)snprintf(error, OPERAND_ERROR_SIZE,
                       "'%.40s' is no signal: a name as KILL or SIGKILL, or a number", word);
        return -EINVAL;
    }
    conf_signal_format(number, name);
    return add(arguments, "signal", json_string(name), error);
}

int operand_level(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE])
{
    enum log_level level;

    if (log_level_find(word, &level) == 0)
        return add(arguments, "level", json_string(word), error);
    (void)snprintf(error, OPERAND_ERROR_SIZE, "'%.40s' is no level: error, warning, info or debug",
                   word);
    return -EINVAL;
}
