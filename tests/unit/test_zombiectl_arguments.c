/*
 * The command line of zombiectl: options before and behind the command, and what
 * is none although it begins like one.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"

#define WORDS_MAX 10

/* The words stay where they are: the arguments borrow from them. */
static int parse(const char *const *words, struct arguments *ret_arguments,
                 char error[ARGUMENTS_ERROR_SIZE])
{
    static char texts[WORDS_MAX + 1][80];
    char *argv[WORDS_MAX + 2] = {texts[0]};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++) {
        assert_true(argc <= WORDS_MAX);
        argv[argc] = texts[argc];
        (void)snprintf(argv[argc], sizeof(texts[argc]), "%s", words[argc - 1]);
    }
    return arguments_parse(argc, argv, ret_arguments, error);
}

/* All that was understood, in one text. */
static void describe(const struct arguments *arguments, char *buf, size_t size)
{
    static const char *const colours[] = {"auto", "always", "never"};
    FILE *out = fmemopen(buf, size, "w");

    assert_non_null(out);
    (void)fprintf(out, "%s", arguments->command != NULL ? arguments->command->name : "none");
    for (int i = 1; i < arguments->n_operands; i++)
        (void)fprintf(out, " <%s>", arguments->operands[i]);
    if (arguments->n_operands > 0)
        assert_null(arguments->operands[arguments->n_operands]);
    if (arguments->socket_path != NULL)
        (void)fprintf(out, " socket=%s", arguments->socket_path);
    if (arguments->colour != ARGUMENTS_COLOUR_AUTO)
        (void)fprintf(out, " colour=%s", colours[arguments->colour]);
    (void)fprintf(out, "%s%s%s%s%s%s", arguments->json ? " json" : "",
                  arguments->help ? " help" : "", arguments->version ? " version" : "",
                  arguments->follow ? " follow" : "", arguments->fast ? " fast" : "",
                  arguments->no_wait ? " no-wait" : "");
    if (arguments->worker != 0)
        (void)fprintf(out, " worker=%ld", arguments->worker);
    if (arguments->lines != 50)
        (void)fprintf(out, " lines=%ld", arguments->lines);
    assert_int_equal(fclose(out), 0);
}

struct row {
    const char *words[WORDS_MAX];
    const char *expected;
};

static void understands(void **state)
{
    static const struct row rows[] = {
        {{NULL}, "none"},
        {{"status"}, "status"},
        {{"--json"}, "none json"},
        {{"-s", "/x", "status"}, "status socket=/x"},
        {{"status", "-s", "/x"}, "status socket=/x"},
        {{"-s/x"}, "none socket=/x"},
        {{"--socket=/x"}, "none socket=/x"},
        {{"--socket", "/x"}, "none socket=/x"},
        {{"-s", "-odd"}, "none socket=-odd"},
        {{"-s", "/x", "-s", "/y"}, "none socket=/y"},
        {{"--colour=always"}, "none colour=always"},
        {{"--color", "never"}, "none colour=never"},
        {{"--colour=never", "--color=auto"}, "none"},
        {{"scale", "-2"}, "scale <-2>"},
        {{"scale", "+2"}, "scale <+2>"},
        {{"--json", "scale", "-2", "-s", "/x"}, "scale <-2> socket=/x json"},
        {{"scale", "--", "-2"}, "scale <-2>"},
        {{"kill", "1", "-9"}, "kill <1> <-9>"},
        {{"kill", "1"}, "kill <1>"},
        {{"restart"}, "restart"},
        {{"restart", "--", "--json"}, "restart <--json>"},
        {{"restart", "-"}, "restart <->"},
        {{"logs", "-f"}, "logs follow"},
        {{"-f", "logs"}, "logs follow"},
        {{"logs", "-fn5"}, "logs follow lines=5"},
        {{"logs", "-n", "0", "--worker", "7"}, "logs worker=7 lines=0"},
        {{"logs", "--lines=1000", "--worker=1", "--follow"}, "logs follow worker=1 lines=1000"},
        {{"stop", "--fast"}, "stop fast"},
        {{"upstream", "--no-wait", "drain", "a", "b"}, "upstream <drain> <a> <b> no-wait"},
        {{"upstream"}, "upstream"},
        {{"-h"}, "none help"},
        {{"scale", "-h"}, "scale help"},
        {{"-V"}, "none version"},
        {{"chaos", "run", "--rate", "20", "--for=30s"}, "chaos <run> <--rate> <20> <--for=30s>"},
        {{"chaos", "run", "--json", "-s", "/x", "-q"}, "chaos <run> <-q> socket=/x json"},
        {{"--json", "chaos", "--seed", "-5"}, "chaos <--seed> <-5> json"},
        {{"chaos", "--fast", "-f", "-hx"}, "chaos <--fast> <-f> <-hx>"},
        {{"help", "scale"}, "help <scale>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char error[ARGUMENTS_ERROR_SIZE];
        char buf[200];
        struct arguments arguments;

        if (parse(rows[i].words, &arguments, error) < 0)
            fail_msg("row %zu: %s", i, error);
        describe(&arguments, buf, sizeof(buf));
        if (strcmp(buf, rows[i].expected) != 0)
            fail_msg("row %zu: %s instead of %s", i, buf, rows[i].expected);
        arguments_clear(&arguments);
    }
}

static void refuses(void **state)
{
    static const struct row rows[] = {
        {{"stauts"}, "unknown command 'stauts'; did you mean 'status'?"},
        {{"xyz"}, "unknown command 'xyz'; see zombiectl help"},
        {{""}, "unknown command ''; see zombiectl help"},
        {{"-x"}, "unknown option '-x'; see zombiectl help"},
        {{"-fx", "logs"}, "unknown option '-x'; see zombiectl help"},
        {{"-\033"}, "unknown option '-?'; see zombiectl help"},
        {{"--nonsense"}, "unknown option '--nonsense'; see zombiectl help"},
        {{"--js"}, "unknown option '--js'; see zombiectl help"},
        {{"--"}, NULL},
        {{"-s"}, "option -s needs a value"},
        {{"-s", ""}, "option -s needs a path"},
        {{"--colour"}, "option --colour needs a value"},
        {{"--colour=red"}, "'red' is no value of --colour: auto, always or never"},
        {{"--json=yes"}, "option --json takes no value"},
        {{"status", "-f"}, "option --follow is not for 'status'; see zombiectl help status"},
        {{"-f"}, "option --follow is not for 'status'; see zombiectl help status"},
        {{"drain", "1", "--no-wait"},
         "option --no-wait is not for 'drain'; see zombiectl help drain"},
        {{"upstream", "drain", "a", "b", "c"},
         "unexpected argument 'c'; see zombiectl help upstream"},
        {{"reload", "--fast"}, "option --fast is not for 'reload'; see zombiectl help reload"},
        {{"events", "-n", "5"}, "option --lines is not for 'events'; see zombiectl help events"},
        {{"logs", "-n", "1001"}, "--lines needs a number from 0 to 1000, not '1001'"},
        {{"logs", "-n", "-1"}, "--lines needs a number from 0 to 1000, not '-1'"},
        {{"logs", "--worker", "0"}, "--worker needs a number from 1 up, not '0'"},
        {{"logs", "--worker", "x"}, "--worker needs a number from 1 up, not 'x'"},
        {{"scale"}, "'scale' needs N|+N|-N; see zombiectl help scale"},
        {{"scale", "1", "2"}, "unexpected argument '2'; see zombiectl help scale"},
        {{"kill"}, "'kill' needs SLOT [SIGNAL]; see zombiectl help kill"},
        {{"ping", "-2"}, "unexpected argument '-2'; see zombiectl help ping"},
        {{"-2"}, "unknown command '-2'; see zombiectl help"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char error[ARGUMENTS_ERROR_SIZE] = "";
        struct arguments arguments;
        int err = parse(rows[i].words, &arguments, error);

        if (rows[i].expected == NULL) {
            assert_int_equal(err, 0);
            arguments_clear(&arguments);
            continue;
        }
        if (err != -EINVAL || strcmp(error, rows[i].expected) != 0)
            fail_msg("row %zu: %d, %s", i, err, error);
    }
}

static void suggests(void **state)
{
    static const struct {
        const char *word;
        const char *command; /* NULL: none is near */
    } rows[] = {
        {"stauts", "status"},
        {"statsu", "status"},
        {"tpo", "top"},
        {"relaod", "reload"},
        {"reopenlogs", "reopen-logs"},
        {"log_level", "log-level"},
        {"restrat", "restart"},
        {"STATUS", NULL},
        {"x", NULL},
        {"", NULL},
        {"nginx", NULL},
        {"bogus", NULL},
        {"lgso", NULL},
        {"log", "logs"},
        {"kil", "kill"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *command = commands_suggest(rows[i].word);

        if ((command == NULL) != (rows[i].command == NULL) ||
            (command != NULL && strcmp(command, rows[i].command) != 0))
            fail_msg("%s: %s", rows[i].word, command != NULL ? command : "none");
    }
}

/* What the help shows of a command fits what is counted. */
static void rows_agree_with_themselves(void **state)
{
    size_t n;
    const struct command *commands = commands_all(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct command *command = &commands[i];
        bool optional = command->operands[0] == '[' || command->operands[0] == '\0';

        assert_ptr_equal(commands_find(command->name), command);
        assert_non_null(command->run);
        assert_true(command->n_operands_min <= command->n_operands_max);
        if (strcmp(command->options, COMMANDS_OWN_OPTIONS) != 0)
            assert_int_equal(command->n_operands_min == 0, optional);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands),
        cmocka_unit_test(refuses),
        cmocka_unit_test(suggests),
        cmocka_unit_test(rows_agree_with_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
