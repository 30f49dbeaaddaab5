/* The command line, taken apart (conf/args.h). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/args.h"

#define MAX_WORDS 8

/* Parse the words after the program's name; they must be NULL-terminated. */
static int parse(const char *const *words, struct conf_args *ret_args, char *error, size_t size)
{
    char *argv[MAX_WORDS + 2] = {(char *)"zombie-server"};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)words[argc - 1];
    error[0] = '\0';
    return conf_args_parse(argc, argv, ret_args, error, size);
}

static void refuses_with_advice(void **state)
{
    static const struct {
        const char *words[MAX_WORDS];
        const char *error;
    } cases[] = {
        {{"-x"}, "unknown option '-x'; see zombie-server -h"},
        {{"-C"}, "unknown option '-C'; see zombie-server -h"},
        {{"-P"}, "unknown option '-P'; see zombie-server -h"},
        {{"-dx"}, "unknown option '-x'; see zombie-server -h"},
        {{"--wrokers", "3"}, "unknown option '--wrokers'; see zombie-server -h"},
        {{"-w"}, "option -w needs a value"},
        {{"-dw"}, "option -w needs a value"},
        {{"--workers"}, "option --workers needs a value"},
        {{"--chaos=yes"}, "option --chaos takes no value"},
        {{"--preflight=yes"}, "option --preflight takes no value"},
        {{"-c", "a", "-c", "b"}, "option -c is given twice"},
        {{"-c", "a", "--config", "b"}, "option --config is given twice"},
        {{"-e", "a", "-e", "b"}, "option -e is given twice"},
        {{"-c", ""}, "option -c needs a value"},
        {{"--healthcheck="}, "option --healthcheck needs a value"},
        {{"--healthcheck=a", "--healthcheck=b"}, "option --healthcheck is given twice"},
        {{"--healthcheck", "a", "b"}, "unexpected argument 'b'; see zombie-server -h"},
        {{"start"}, "unexpected argument 'start'; see zombie-server -h"},
        {{"-t", "--", "-w"}, "unexpected argument '-w'; see zombie-server -h"},
        {{"-t", "x", "-w"}, "unexpected argument 'x'; see zombie-server -h"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_args args = {.file = "untouched"};
        char error[256];

        assert_int_not_equal(parse(cases[i].words, &args, error, sizeof(error)), 0);
        assert_string_equal(error, cases[i].error);
        assert_string_equal(args.file, "untouched");
    }
}

static void knows_the_actions(void **state)
{
    static const struct {
        const char *words[MAX_WORDS];
        enum conf_action action;
    } cases[] = {
        {{NULL}, CONF_ACTION_RUN},
        {{"-t"}, CONF_ACTION_CHECK},
        {{"--test"}, CONF_ACTION_CHECK},
        {{"-T"}, CONF_ACTION_DUMP},
        {{"--dump"}, CONF_ACTION_DUMP},
        {{"-V"}, CONF_ACTION_VERSION},
        {{"--version"}, CONF_ACTION_VERSION},
        {{"-h"}, CONF_ACTION_HELP},
        {{"--help"}, CONF_ACTION_HELP},
        {{"--preflight"}, CONF_ACTION_PREFLIGHT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_args args;
        char error[256];

        assert_int_equal(parse(cases[i].words, &args, error, sizeof(error)), 0);
        assert_int_equal(args.action, cases[i].action);
        assert_int_equal(args.n_overrides, 0);
        conf_args_clear(&args);
    }
}

static void keeps_overrides_in_order(void **state)
{
    static const char *const words[] = {
        "-w4", "--chaos", "--listen=[::1]:80", "-d", "-o", "log.level=debug", NULL};
    static const struct conf_override expected[] = {
        {"-w", "4", 'w'},  {"--chaos", NULL, 'C'},         {"--listen", "[::1]:80", 'l'},
        {"-d", NULL, 'd'}, {"-o", "log.level=debug", 'o'},
    };
    struct conf_args args;
    char error[256];

    (void)state;
    assert_int_equal(parse(words, &args, error, sizeof(error)), 0);
    assert_int_equal(args.n_overrides, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < args.n_overrides; i++) {
        assert_string_equal(args.overrides[i].option, expected[i].option);
        assert_int_equal(args.overrides[i].letter, expected[i].letter);
        if (expected[i].value == NULL)
            assert_null(args.overrides[i].value);
        else
            assert_string_equal(args.overrides[i].value, expected[i].value);
    }
    conf_args_clear(&args);
    assert_int_equal(args.n_overrides, 0);
}

static void keeps_file_and_environment(void **state)
{
    static const char *const words[] = {"-c", "a.conf", "-e", "production", NULL};
    struct conf_args args;
    char error[256];

    (void)state;
    assert_int_equal(parse(words, &args, error, sizeof(error)), 0);
    assert_string_equal(args.file, "a.conf");
    assert_string_equal(args.environment, "production");
    conf_args_clear(&args);
}

/* The preflight of an upgrade is run with the arguments of the master that asks for it. */
static void preflight_keeps_the_arguments(void **state)
{
    static const char *const words[] = {"--preflight", "-c", "a.conf", "-w4", NULL};
    struct conf_args args;
    char error[256];

    (void)state;
    assert_int_equal(parse(words, &args, error, sizeof(error)), 0);
    assert_int_equal(args.action, CONF_ACTION_PREFLIGHT);
    assert_string_equal(args.file, "a.conf");
    assert_int_equal(args.n_overrides, 1);
    assert_int_equal(args.overrides[0].letter, 'w');
    conf_args_clear(&args);
}

/* The word that follows is the URL, unless it looks like an option. */
static void the_probe_takes_a_url_or_none(void **state)
{
    static const struct {
        const char *words[MAX_WORDS];
        const char *url;
        size_t n_overrides;
    } cases[] = {
        {{"--healthcheck"}, NULL, 0},
        {{"--healthcheck", "http://a/"}, "http://a/", 0},
        {{"--healthcheck=http://a/"}, "http://a/", 0},
        {{"--healthcheck", "-w", "4"}, NULL, 1},
        {{"--healthcheck", "unix:/s", "-w4"}, "unix:/s", 1},
        {{"-w4", "--healthcheck", "unix:/s"}, "unix:/s", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_args args;
        char error[256];

        assert_int_equal(parse(cases[i].words, &args, error, sizeof(error)), 0);
        assert_int_equal(args.action, CONF_ACTION_PROBE);
        assert_int_equal(args.n_overrides, cases[i].n_overrides);
        if (cases[i].url == NULL)
            assert_null(args.url);
        else
            assert_string_equal(args.url, cases[i].url);
        conf_args_clear(&args);
    }
}

/*
 * Whoever adds an option to the table must explain it to users; only
 * --preflight, which a master gives to the program it upgrades to, is not theirs.
 */
static void usage_names_every_option(void **state)
{
    char *text = NULL, *rest = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    conf_args_list(out);
    (void)fclose(out);
    for (char *word = strtok_r(text, " \n", &rest); word != NULL;
         word = strtok_r(NULL, " \n", &rest)) {
        if (strcmp(word, "--preflight") != 0)
            assert_non_null(strstr(conf_args_usage(), word));
        else
            assert_null(strstr(conf_args_usage(), "preflight"));
    }
    free(text);
}

static void lists_options(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    conf_args_list(out);
    (void)fclose(out);
    assert_non_null(strstr(text, "-c --config\n"));
    assert_non_null(strstr(text, "\n--chaos\n"));
    assert_non_null(strstr(text, "\n--preflight\n"));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_advice),
        cmocka_unit_test(knows_the_actions),
        cmocka_unit_test(keeps_overrides_in_order),
        cmocka_unit_test(keeps_file_and_environment),
        cmocka_unit_test(preflight_keeps_the_arguments),
        cmocka_unit_test(the_probe_takes_a_url_or_none),
        cmocka_unit_test(usage_names_every_option),
        cmocka_unit_test(lists_options),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
