#include "config.h"

#include "zombiectl/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "zombiectl/commands.h"

/* The letters of options that have only a long name are in capitals. */
static const struct option {
    char letter;
    bool is_short; /* -x, besides the long name */
    bool has_value;
    bool is_common; /* for each command; else for those that have the letter in their row */
    const char *name;
} options[] = {
    {'s', true, true, true, "socket"},     {'J', false, false, true, "json"},
    {'C', false, true, true, "colour"},    {'C', false, true, true, "color"},
    {'h', true, false, true, "help"},      {'V', true, false, true, "version"},
    {'f', true, false, false, "follow"},   {'n', true, true, false, "lines"},
    {'w', false, true, false, "worker"},   {'F', false, false, false, "fast"},
    {'N', false, false, false, "no-wait"}, {'W', false, false, false, "watch"},
    {'H', false, true, false, "choose"},   {'K', false, true, false, "key"},
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

/* How far the reading has come. */
struct reading {
    char **next; /* the next word */
    struct arguments *arguments;
    const struct option *seen[N_OPTIONS]; /* by index: those that were given */
    bool options_ended;                   /* behind "--" */
    char *error;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct reading *reading, const char *format,
                                                        ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reading->error, ARGUMENTS_ERROR_SIZE, format, args);
    va_end(args);
    return -EINVAL;
}

static const struct option *find_name(const char *name, size_t length)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (strncmp(options[i].name, name, length) == 0 && options[i].name[length] == '\0')
            return &options[i];
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (options[i].is_short && options[i].letter == letter)
            return &options[i];
    return NULL;
}

static int take_colour(struct reading *reading, const char *value)
{
    static const char *const names[] = {
        [ARGUMENTS_COLOUR_AUTO] = "auto",
        [ARGUMENTS_COLOUR_ALWAYS] = "always",
        [ARGUMENTS_COLOUR_NEVER] = "never",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            reading->arguments->colour = (enum arguments_colour)i;
            return 0;
        }
    }
    return refuse(reading, "'%.40s' is no value of --colour: auto, always or never", value);
}

static int take_number(struct reading *reading, const char *name, const char *value, long min,
                       long max, long *ret_number)
{
    if (number_parse(value, min, max, ret_number) == 0)
        return 0;
    if (max == LONG_MAX)
        return refuse(reading, "--%s needs a number from %ld up, not '%.40s'", name, min, value);
    return refuse(reading, "--%s needs a number from %ld to %ld, not '%.40s'", name, min, max,
                  value);
}

static int take_value(struct reading *reading, const struct option *option, const char *value)
{
    struct arguments *arguments = reading->arguments;

    reading->seen[option - options] = option;
    switch (option->letter) {
    case 's':
        arguments->socket_path = value;
        return *value != '\0' ? 0 : refuse(reading, "option -s needs a path");
    case 'n':
        return take_number(reading, option->name, value, 0, 1000, &arguments->lines);
    case 'w':
        return take_number(reading, option->name, value, 1, LONG_MAX, &arguments->worker);
    case 'H':
        arguments->choose = value;
        return 0;
    case 'K':
        arguments->key = value;
        return 0;
    default:
        return take_colour(reading, value);
    }
}

static void take_flag(struct reading *reading, const struct option *option)
{
    struct arguments *arguments = reading->arguments;
    const struct {
        char letter;
        bool *flag;
    } rows[] = {
        {'J', &arguments->json},   {'h', &arguments->help}, {'V', &arguments->version},
        {'f', &arguments->follow}, {'F', &arguments->fast}, {'N', &arguments->no_wait},
        {'W', &arguments->watch},
    };

    reading->seen[option - options] = option;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].letter == option->letter)
            *rows[i].flag = true;
}

/* The value is in the word, or is the next word. */
static int take_with_value(struct reading *reading, const struct option *option,
                           const char *in_word)
{
    if (in_word == NULL && *reading->next == NULL)
        return refuse(reading, "option %s%s needs a value", option->is_short ? "-" : "--",
                      option->is_short ? (char[2]){option->letter, '\0'} : option->name);
    return take_value(reading, option, in_word != NULL ? in_word : *reading->next++);
}

static int take_long(struct reading *reading, const char *word)
{
    const char *name = word + strlen("--");
    const char *value = strchr(name, '=');
    size_t length = value != NULL ? (size_t)(value - name) : strlen(name);
    const struct option *option = find_name(name, length);

    if (option == NULL)
        return refuse(reading, "unknown option '%.60s'; see zombiectl help", word);
    if (option->has_value)
        return take_with_value(reading, option, value != NULL ? value + 1 : NULL);
    if (value != NULL)
        return refuse(reading, "option --%s takes no value", option->name);
    take_flag(reading, option);
    return 0;
}

/* One word may hold several letters; what follows one with a value is that value. */
static int take_letters(struct reading *reading, const char *word)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct option *option = find_letter(*letter);

        if (option == NULL)
            return refuse(reading, "unknown option '-%c'; see zombiectl help",
                          isprint((unsigned char)*letter) ? *letter : '?');
        if (option->has_value)
            return take_with_value(reading, option, letter[1] != '\0' ? letter + 1 : NULL);
        take_flag(reading, option);
    }
    return 0;
}

/* For a command that reads options itself: only those are taken from it that all have. */
static bool is_left_to_command(const struct command *command, const char *word)
{
    bool is_long = strncmp(word, "--", 2) == 0;
    const struct option *option;

    if (command == NULL || strcmp(command->options, COMMANDS_OWN_OPTIONS) != 0)
        return false;
    option = is_long ? find_name(word + 2, strcspn(word + 2, "=")) : find_letter(word[1]);
    if (option == NULL || !option->is_common)
        return true;
    return !is_long && !option->has_value && word[2] != '\0';
}

static bool looks_like_option(const struct reading *reading, const char *word)
{
    return !reading->options_ended && word[0] == '-' && word[1] != '\0' &&
           !isdigit((unsigned char)word[1]);
}

static int take_operand(struct reading *reading, char *word)
{
    struct arguments *arguments = reading->arguments;

    if (arguments->n_operands == 0) {
        const char *near = commands_suggest(word);

        arguments->command = commands_find(word);
        if (arguments->command == NULL && near != NULL)
            return refuse(reading, "unknown command '%.40s'; did you mean '%s'?", word, near);
        if (arguments->command == NULL)
            return refuse(reading, "unknown command '%.40s'; see zombiectl help", word);
    }
    arguments->operands[arguments->n_operands++] = word;
    return 0;
}

static int take_word(struct reading *reading)
{
    char *word = *reading->next++;

    if (!looks_like_option(reading, word) || is_left_to_command(reading->arguments->command, word))
        return take_operand(reading, word);
    if (strcmp(word, "--") == 0) {
        reading->options_ended = true;
        return 0;
    }
    return word[1] == '-' ? take_long(reading, word) : take_letters(reading, word);
}

/* Help wants no operands, and what no command was named for is the status. */
static int check_command(struct reading *reading)
{
    const struct arguments *arguments = reading->arguments;
    const struct command *command =
        arguments->command != NULL ? arguments->command : commands_find("status");
    int n = arguments->n_operands - 1;

    if (arguments->help || arguments->version)
        return 0;
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (reading->seen[i] != NULL && !options[i].is_common &&
            strchr(command->options, options[i].letter) == NULL)
            return refuse(reading, "option --%s is not for '%s'; see zombiectl help %s",
                          options[i].name, command->name, command->name);
    if (n >= 0 && n < command->n_operands_min)
        return refuse(reading, "'%s' needs %s; see zombiectl help %s", command->name,
                      command->operands, command->name);
    if (n > command->n_operands_max)
        return refuse(reading, "unexpected argument '%.40s'; see zombiectl help %s",
                      arguments->operands[command->n_operands_max + 1], command->name);
    return 0;
}

int arguments_parse(int argc, char **argv, struct arguments *ret_arguments,
                    char error[ARGUMENTS_ERROR_SIZE])
{
    struct arguments arguments = {.lines = 50};
    struct reading reading = {.next = argv + (argc > 0), .arguments = &arguments, .error = error};
    int err = 0;

    arguments.operands = calloc((size_t)argc + 1, sizeof(*arguments.operands));
    if (arguments.operands == NULL) {
        (void)snprintf(error, ARGUMENTS_ERROR_SIZE, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    while (err == 0 && *reading.next != NULL)
        err = take_word(&reading);
    if (err == 0)
        err = check_command(&reading);
    if (err < 0) {
        arguments_clear(&arguments);
        return err;
    }
    *ret_arguments = arguments;
    return 0;
}

void arguments_clear(struct arguments *arguments)
{
    free(arguments->operands);
    *arguments = (struct arguments){0};
}
