/*
 * A type is a row too: how it is read, printed and freed.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/number.h"
#include "conf/signal_name.h"
#include "conf/size.h"
#include "conf/value.h"
#include "conf/value_list.h"

#define SECRET_MASK "********"

int conf_value_refuse(char why[CONF_WHY_SIZE], const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(why, CONF_WHY_SIZE, format, ap);
    va_end(ap);
    return -EINVAL;
}

/* One text to be read: its row, where relative paths start, and room for a reason. */
struct reading {
    const struct conf_option *option;
    const char *text;
    const char *folder;
    char *why;
};

static bool is_word(const char *const *words, const char *text,
                    int (*compare)(const char *, const char *))
{
    for (; words != NULL && *words != NULL; words++)
        if (compare(*words, text) == 0)
            return true;
    return false;
}

static int read_bool(const struct reading *reading, void *field)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};
    bool is_yes = is_word(yes, reading->text, strcasecmp);

    if (!is_yes && !is_word(no, reading->text, strcasecmp))
        return conf_value_refuse(reading->why, "'%.*s' is not yes or no", CONF_QUOTED_MAX,
                                 reading->text);
    *(bool *)field = is_yes;
    return 0;
}

static int read_number(const struct reading *reading, void *field)
{
    const struct conf_option *option = reading->option;

    if (number_parse(reading->text, option->min, option->max, field) < 0)
        return conf_value_refuse(reading->why, "'%.*s' is not a whole number from %ld to %ld",
                                 CONF_QUOTED_MAX, reading->text, option->min, option->max);
    return 0;
}

/* "LOW..HIGH" or one number for both. */
static int read_span(const struct reading *reading, void *field)
{
    const struct conf_option *option = reading->option;
    const char *dots = strstr(reading->text, "..");
    char low[CONF_QUOTED_MAX] = "";
    long span[2];

    if (dots != NULL && (size_t)(dots - reading->text) < sizeof(low))
        memcpy(low, reading->text, (size_t)(dots - reading->text));
    if (number_parse(dots != NULL ? low : reading->text, option->min, option->max, &span[0]) < 0 ||
        number_parse(dots != NULL ? dots + 2 : reading->text, span[0], option->max, &span[1]) < 0)
        return conf_value_refuse(reading->why,
                                 "'%.*s' is not LOW..HIGH or one number, from %ld to %ld",
                                 CONF_QUOTED_MAX, reading->text, option->min, option->max);
    memcpy(field, span, sizeof(span));
    return 0;
}

static int read_workers(const struct reading *reading, void *field)
{
    const struct conf_option *option = reading->option;

    if (strcasecmp(reading->text, "auto") == 0)
        *(long *)field = 0;
    else if (number_parse(reading->text, option->min, option->max, field) < 0)
        return conf_value_refuse(reading->why,
                                 "'%.*s' is not 'auto' or a whole number from %ld to %ld",
                                 CONF_QUOTED_MAX, reading->text, option->min, option->max);
    return 0;
}

static int read_octal(const struct reading *reading, void *field)
{
    const struct conf_option *option = reading->option;
    size_t len = strlen(reading->text);
    long value = -1;

    /* Six digits cannot overflow a long, and no mode has more. */
    if (len > 0 && len <= 6 && strspn(reading->text, "01234567") == len)
        value = strtol(reading->text, NULL, 8);
    if (value < option->min || value > option->max)
        return conf_value_refuse(reading->why, "'%.*s' is not an octal number from %lo to 0%lo",
                                 CONF_QUOTED_MAX, reading->text, (unsigned long)option->min,
                                 (unsigned long)option->max);
    *(long *)field = value;
    return 0;
}

static int read_size(const struct reading *reading, void *field)
{
    const struct conf_option *option = reading->option;
    char min[CONF_SIZE_TEXT_SIZE], max[CONF_SIZE_TEXT_SIZE];

    if (is_word(option->choices, reading->text, strcmp)) {
        *(long *)field = -1;
        return 0;
    }
    if (conf_size_parse(reading->text, option->min, option->max, field) == 0)
        return 0;
    conf_size_format(option->min, min);
    conf_size_format(option->max, max);
    return conf_value_refuse(reading->why,
                             "'%.*s' is not a size from %s to %s, in bytes or with K, M or G",
                             CONF_QUOTED_MAX, reading->text, min, max);
}

static int read_signal(const struct reading *reading, void *field)
{
    long number;

    if (conf_signal_parse(reading->text, &number) < 0)
        return conf_value_refuse(reading->why, "'%.*s' is not a signal such as ABRT or 6",
                                 CONF_QUOTED_MAX, reading->text);
    if (!conf_signal_ends(number))
        return conf_value_refuse(reading->why, "the signal '%.*s' does not end a worker that hangs",
                                 CONF_QUOTED_MAX, reading->text);
    *(long *)field = number;
    return 0;
}

int conf_value_refuse_choice(char why[CONF_WHY_SIZE], const char *const *choices, const char *text)
{
    char words[CONF_WHY_SIZE / 2] = "";
    size_t used = 0;

    for (; *choices != NULL; choices++) {
        (void)snprintf(words + used, sizeof(words) - used, "%s%s", used > 0 ? ", " : "", *choices);
        used = strlen(words);
    }
    return conf_value_refuse(why, "'%.*s' is not one of %s", CONF_QUOTED_MAX, text, words);
}

static int read_choice(const struct reading *reading, void *field)
{
    for (int i = 0; reading->option->choices[i] != NULL; i++) {
        if (strcmp(reading->option->choices[i], reading->text) == 0) {
            *(int *)field = i;
            return 0;
        }
    }
    return conf_value_refuse_choice(reading->why, reading->option->choices, reading->text);
}

/* Put an allocated text, which may be NULL for lack of memory, in place of the old one. */
static int replace_text(char **field, char *text)
{
    if (text == NULL)
        return -ENOMEM;
    free(*field);
    *field = text;
    return 0;
}

static int check_length(const struct reading *reading)
{
    const struct conf_option *option = reading->option;
    size_t len = strlen(reading->text);

    if (len == 0 && option->min > 0)
        return conf_value_refuse(reading->why, "the value is empty");
    if (len < (size_t)option->min || len > (size_t)option->max)
        return conf_value_refuse(reading->why, "the value has %zu byte%s, it must have %ld to %ld",
                                 len, len == 1 ? "" : "s", option->min, option->max);
    return 0;
}

static int read_text(const struct reading *reading, void *field)
{
    int rc = check_length(reading);

    return rc < 0 ? rc : replace_text(field, strdup(reading->text));
}

static int read_secret(const struct reading *reading, void *field)
{
    if (reading->text[0] == '\0')
        return replace_text(field, strdup(""));
    return read_text(reading, field);
}

/* folder/text, allocated; text alone when it is absolute or there is no folder. */
static char *join_path(const char *folder, const char *text)
{
    char *joined = NULL;

    if (text[0] == '/' || folder == NULL || folder[0] == '\0')
        return strdup(text);
    if (asprintf(&joined, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, text) < 0)
        return NULL;
    return joined;
}

/* Set *ret_path to the absolute form of text, allocated. Returns 0 or -errno of getcwd(3). */
static int make_absolute(const char *folder, const char *text, char **ret_path)
{
    char *near = join_path(folder, text);
    char *here = NULL;
    int rc = 0;

    if (near != NULL && near[0] != '/') {
        here = getcwd(NULL, 0);
        if (here == NULL) {
            rc = -errno;
            goto out;
        }
    }
    *ret_path = near != NULL ? join_path(here, near) : NULL;
    if (*ret_path == NULL)
        rc = -ENOMEM;
out:
    free(here);
    free(near);
    return rc;
}

static int read_path(const struct reading *reading, void *field)
{
    char *path = NULL;
    int rc = check_length(reading);

    if (rc < 0)
        return rc;
    if (reading->text[0] == '\0' || is_word(reading->option->choices, reading->text, strcmp))
        return replace_text(field, strdup(reading->text));

    rc = make_absolute(reading->folder, reading->text, &path);
    if (rc < 0 && rc != -ENOMEM)
        return conf_value_refuse(reading->why, "cannot tell the current directory: %s",
                                 strerror(-rc));
    assert(rc < 0 || path != NULL);
    if (rc == 0 && strlen(path) > (size_t)reading->option->max) {
        free(path);
        return conf_value_refuse(reading->why, "the whole path is longer than %ld bytes",
                                 reading->option->max);
    }
    return rc < 0 ? rc : replace_text(field, path);
}

static void print_bool(const struct conf_option *option, const void *field, FILE *out)
{
    (void)option;
    (void)fputs(*(const bool *)field ? "\"yes\"" : "\"no\"", out);
}

static void print_number(const struct conf_option *option, const void *field, FILE *out)
{
    (void)option;
    (void)fprintf(out, "\"%ld\"", *(const long *)field);
}

static void print_span(const struct conf_option *option, const void *field, FILE *out)
{
    const long *span = field;

    (void)option;
    if (span[0] == span[1])
        (void)fprintf(out, "\"%ld\"", span[0]);
    else
        (void)fprintf(out, "\"%ld..%ld\"", span[0], span[1]);
}

static void print_workers(const struct conf_option *option, const void *field, FILE *out)
{
    if (*(const long *)field == 0)
        (void)fputs("\"auto\"", out);
    else
        print_number(option, field, out);
}

static void print_octal(const struct conf_option *option, const void *field, FILE *out)
{
    (void)option;
    (void)fprintf(out, "\"%04lo\"", (unsigned long)*(const long *)field);
}

static void print_size(const struct conf_option *option, const void *field, FILE *out)
{
    char text[CONF_SIZE_TEXT_SIZE];
    long bytes = *(const long *)field;

    if (bytes >= 0)
        conf_size_format(bytes, text);
    (void)fprintf(out, "\"%s\"", bytes >= 0 ? text : option->choices[0]);
}

static void print_signal(const struct conf_option *option, const void *field, FILE *out)
{
    char text[CONF_SIGNAL_TEXT_SIZE];

    (void)option;
    conf_signal_format(*(const long *)field, text);
    (void)fprintf(out, "\"%s\"", text);
}

static void print_choice(const struct conf_option *option, const void *field, FILE *out)
{
    (void)fprintf(out, "\"%s\"", option->choices[*(const int *)field]);
}

static void print_text(const struct conf_option *option, const void *field, FILE *out)
{
    (void)option;
    conf_text_print(*(char *const *)field, out);
}

static void print_secret(const struct conf_option *option, const void *field, FILE *out)
{
    const char *text = *(char *const *)field;

    (void)option;
    (void)fprintf(out, "\"%s\"", text[0] == '\0' ? "" : SECRET_MASK);
}

static void clear_text(void *field)
{
    free(*(char **)field);
    *(char **)field = NULL;
}

/* In the order of enum conf_type. A list has no read: it is read as a whole. */
static const struct {
    int (*read)(const struct reading *reading, void *field);
    void (*print)(const struct conf_option *option, const void *field, FILE *out);
    void (*clear)(void *field); /* NULL: the field owns nothing */
} types[] = {
    [CONF_BOOL] = {read_bool, print_bool, NULL},
    [CONF_NUMBER] = {read_number, print_number, NULL},
    [CONF_WORKERS] = {read_workers, print_workers, NULL},
    [CONF_OCTAL] = {read_octal, print_octal, NULL},
    [CONF_SIZE] = {read_size, print_size, NULL},
    [CONF_SIGNAL] = {read_signal, print_signal, NULL},
    [CONF_CHOICE] = {read_choice, print_choice, NULL},
    [CONF_TEXT] = {read_text, print_text, clear_text},
    [CONF_PATH] = {read_path, print_text, clear_text},
    [CONF_SECRET] = {read_secret, print_secret, clear_text},
    [CONF_NETWORKS] = {NULL, conf_list_print, conf_list_field_clear},
    [CONF_TEXTS] = {NULL, conf_list_print, conf_list_field_clear},
    [CONF_FIELDS] = {NULL, conf_list_print, conf_list_field_clear},
    [CONF_WORDS] = {NULL, conf_words_print, NULL},
    [CONF_URLS] = {NULL, conf_urls_print, conf_list_field_clear},
    [CONF_SPAN] = {read_span, print_span, NULL},
};

int conf_value_read(const struct conf_option *option, const struct conf_list *texts,
                    const char *folder, void *settings, char why[CONF_WHY_SIZE])
{
    void *field = (char *)settings + option->offset;
    struct reading reading = {.option = option, .folder = folder, .why = why};

    if (option->type == CONF_WORDS)
        return conf_words_read(option, texts, field, why);
    if (conf_type_is_list(option->type))
        return conf_list_read(option, texts, field, why);
    if (texts->n != 1)
        return conf_value_refuse(why, "one value is wanted, not %zu", texts->n);
    reading.text = texts->items[0];
    return types[option->type].read(&reading, field);
}

int conf_settings_fill(const struct conf_option *options, void *settings)
{
    char why[CONF_WHY_SIZE];
    int rc = 0;

    for (const struct conf_option *option = options; rc == 0 && option->key != NULL; option++) {
        char *fallback = (char *)option->fallback;

        rc = conf_value_read(option, &(struct conf_list){&fallback, 1}, NULL, settings, why);
    }
    return rc;
}

void conf_value_print(const struct conf_option *option, const void *settings, FILE *out)
{
    types[option->type].print(option, (const char *)settings + option->offset, out);
}

/*
 * libConfuse expands "${" and reads C's escapes between double quotes. Control
 * characters are escaped so that a value stays on its line.
 */
void conf_text_print(const char *text, FILE *out)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            (void)fprintf(out, "\\x%02x", c);
        else if (c == '"' || c == '\\' || (c == '$' && text[1] == '{'))
            (void)fprintf(out, "\\%c", c);
        else
            (void)fputc(c, out);
    }
    (void)fputc('"', out);
}

void conf_settings_clear(const struct conf_option *options, void *settings)
{
    for (const struct conf_option *option = options; option && option->key != NULL; option++)
        if (types[option->type].clear != NULL)
            types[option->type].clear((char *)settings + option->offset);
}
