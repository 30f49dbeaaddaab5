#include "config.h"

#include "zombiectl/chaos_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define DAY_MS INT64_C(86400000)

static const struct chaos_way ways[] = {
    {"kill", "KILL", NULL},
    {"segv", "SEGV", NULL},
    {"hang", "STOP",
     "a worker that hangs is found and replaced only after instance.hang_timeout_ms: "
     "the times include that"},
    {"exit", "TERM", NULL},
};

typedef int read_value(const char *text, int64_t *ret_value);

struct option_row {
    const char *name;
    size_t offset;    /* of an int64_t, for read */
    read_value *read; /* NULL: a whole number from min to max */
    long min;
    long max;
    const char *expects;
};

#define FIELD(member) offsetof(struct chaos_options, member)

static const struct option_row rows[] = {
    {"rate", FIELD(rate), chaos_options_rate, 0, 0, "a number from 0.001 to 1000"},
    {"for", FIELD(for_ms), chaos_options_duration, 0, 0,
     "a time from 1ms to 24h, such as 500ms, 30s, 2m"},
    {"seed", FIELD(seed), NULL, 0, INT64_MAX, "a number from 0 to 9223372036854775807"},
    {"min-serving", FIELD(min_serving), NULL, 0, 1024, "a number from 0 to 1024"},
    {"allow", FIELD(allow), NULL, 0, 1000000000, "a number from 0 to 1000000000"},
    {"connections", FIELD(connections), NULL, 1, CHAOS_CONNECTIONS_MAX, "a number from 1 to 512"},
};

/* Digits at the front of *text, which goes past them; -ERANGE beyond 12 digits. */
static int take_digits(const char **text, int64_t *ret_value)
{
    size_t n = strspn(*text, "0123456789");
    int64_t value = 0;

    if (n == 0)
        return -EINVAL;
    if (n > 12)
        return -ERANGE;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + ((*text)[i] - '0');
    *text += n;
    *ret_value = value;
    return 0;
}

int chaos_options_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    int64_t value = 0;
    int r = take_digits(&text, &value);

    for (size_t i = 0; r == 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        if (value == 0 || value > DAY_MS / units[i].ms)
            return -ERANGE;
        *ret_ms = value * units[i].ms;
        return 0;
    }
    return r != 0 ? r : -EINVAL;
}

int chaos_options_rate(const char *text, int64_t *ret_rate)
{
    int64_t whole = 0;
    int64_t thousandths = 0;
    int r = take_digits(&text, &whole);

    if (r != 0)
        return r;
    if (*text == '.') {
        const char *decimals = ++text;

        r = take_digits(&text, &thousandths);
        if (r != 0 || text - decimals > 3)
            return -EINVAL;
        for (long i = text - decimals; i < 3; i++)
            thousandths *= 10;
    }
    if (*text != '\0')
        return -EINVAL;
    if (whole > 1000)
        return -ERANGE;
    thousandths += whole * 1000;
    if (thousandths < 1 || thousandths > 1000000)
        return -ERANGE;
    *ret_rate = thousandths;
    return 0;
}

static int read_mode(struct chaos_options *options, const char *value, char why[CHAOS_WHY_SIZE])
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(value, ways[i].mode) == 0) {
            options->way = &ways[i];
            return 0;
        }
    }
    (void)snprintf(why, CHAOS_WHY_SIZE, "--mode is kill, segv, hang or exit, not \"%.60s\"", value);
    return -EINVAL;
}

static int read_row(struct chaos_options *options, const struct option_row *row, const char *value,
                    char why[CHAOS_WHY_SIZE])
{
    int64_t *member = (int64_t *)(void *)((char *)options + row->offset);
    long number = 0;
    int r = row->read != NULL ? row->read(value, member)
                              : number_parse(value, row->min, row->max, &number);

    if (r != 0) {
        (void)snprintf(why, CHAOS_WHY_SIZE, "--%s expects %s, not \"%.60s\"", row->name,
                       row->expects, value);
        return -EINVAL;
    }
    if (row->read == NULL)
        *member = number;
    return 0;
}

static int read_option(struct chaos_options *options, const char *name, const char *value,
                       char why[CHAOS_WHY_SIZE])
{
    if (strcmp(name, "mode") == 0)
        return read_mode(options, value, why);
    if (strcmp(name, "url") == 0) {
        options->url = value;
        return 0;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(name, rows[i].name) == 0)
            return read_row(options, &rows[i], value, why);
    }
    (void)snprintf(why, CHAOS_WHY_SIZE, "there is no option --%.60s", name);
    return -EINVAL;
}

/* Read an option at words[0], with its value perhaps in the next. Returns how many words, or
 * -EINVAL. */
static int read_words(struct chaos_options *options, int n, char *const *words,
                      char why[CHAOS_WHY_SIZE])
{
    char name[64];
    const char *equals = strchr(words[0], '=');
    size_t len = equals != NULL ? (size_t)(equals - words[0]) : strlen(words[0]);

    if (strncmp(words[0], "--", 2) != 0 || len - 2 >= sizeof(name)) {
        (void)snprintf(why, CHAOS_WHY_SIZE, "unexpected \"%.60s\"", words[0]);
        return -EINVAL;
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(len - 2), words[0] + 2);
    if (equals == NULL && n < 2) {
        (void)snprintf(why, CHAOS_WHY_SIZE, "--%s needs a value", name);
        return -EINVAL;
    }
    if (read_option(options, name, equals != NULL ? equals + 1 : words[1], why) != 0)
        return -EINVAL;
    return equals != NULL ? 1 : 2;
}

static int check_complete(const struct chaos_options *options, char why[CHAOS_WHY_SIZE])
{
    const char *missing = NULL;

    if (options->way == NULL)
        missing = "--mode kill|segv|hang|exit";
    else if (options->rate == 0)
        missing = "--rate KILLS_PER_SECOND";
    else if (options->for_ms == 0)
        missing = "--for TIME";
    if (missing == NULL)
        return 0;
    (void)snprintf(why, CHAOS_WHY_SIZE, "%s is missing", missing);
    return -EINVAL;
}

int chaos_options_parse(int n, char *const *words, struct chaos_options *ret_options,
                        char why[CHAOS_WHY_SIZE])
{
    int taken = 1;

    *ret_options = (struct chaos_options){.seed = -1, .min_serving = 1, .connections = 8};
    if (n < 1 || strcmp(words[0], "run") != 0) {
        (void)snprintf(why, CHAOS_WHY_SIZE, "say what: chaos run --mode kill --rate 20 --for 30s");
        return -EINVAL;
    }
    for (int at = 1; at < n; at += taken) {
        taken = read_words(ret_options, n - at, words + at, why);
        if (taken < 0)
            return taken;
    }
    return check_complete(ret_options, why);
}
