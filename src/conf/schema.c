#include "config.h"

#include <string.h>

#include "conf/schema.h"

/* More differences than this are another word, not a typing error. */
#define NEAR_EDITS 2

/* Longer words get no suggestion: no key is that long. */
#define NEAR_BYTES 32

const struct conf_section *conf_section_find(const char *name)
{
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        if (strcmp(section->name, name) == 0)
            return section;
    return NULL;
}

const struct conf_option *conf_option_find(const struct conf_option *options, const char *key)
{
    for (const struct conf_option *option = options; option && option->key != NULL; option++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

const struct conf_handler *conf_handler_find(const struct conf_handler *const *handlers,
                                             const char *name)
{
    for (; *handlers != NULL; handlers++)
        if (strcmp((*handlers)->name, name) == 0)
            return *handlers;
    return NULL;
}

/* Whether the section itself or a handler before `end` has the key already. */
static bool key_seen(const struct conf_section *section, const struct conf_handler *const *handlers,
                     const struct conf_handler *const *end, const char *key)
{
    if (conf_option_find(section->options, key) != NULL)
        return true;
    for (; handlers < end; handlers++)
        if (conf_option_find((*handlers)->options, key) != NULL)
            return true;
    return false;
}

const struct conf_option *conf_section_key(const struct conf_section *section,
                                           const struct conf_handler *const *handlers, size_t n)
{
    for (const struct conf_option *option = section->options; option->key != NULL; option++)
        if (n-- == 0)
            return option;
    if (section->selector == NULL)
        return NULL;

    for (const struct conf_handler *const *handler = handlers; *handler != NULL; handler++)
        for (const struct conf_option *option = (*handler)->options;
             option != NULL && option->key != NULL; option++)
            if (!key_seen(section, handlers, handler, option->key) && n-- == 0)
                return option;
    return NULL;
}

const struct conf_option *conf_section_find_key(const struct conf_section *section,
                                                const struct conf_handler *const *handlers,
                                                const char *key)
{
    const struct conf_option *option;

    for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/*
 * How many characters must be put in, taken out, changed or swapped with their
 * neighbour to make one word of the other (Levenshtein, with transpositions).
 */
static size_t edits_between(const char *a, const char *b)
{
    size_t cost[NEAR_BYTES + 1][NEAR_BYTES + 1];
    size_t len_a = strlen(a), len_b = strlen(b);

    if (len_a > NEAR_BYTES || len_b > NEAR_BYTES)
        return NEAR_EDITS + 1;

    for (size_t i = 0; i <= len_a; i++) {
        for (size_t j = 0; j <= len_b; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                               cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[len_a][len_b];
}

/* Keep `candidate` when it is nearer to `word` than what was kept before. */
static void keep_nearer(const char *word, const char *candidate, const char **nearest,
                        size_t *nearest_edits)
{
    size_t edits = edits_between(word, candidate);

    if (edits < *nearest_edits) {
        *nearest = candidate;
        *nearest_edits = edits;
    }
}

const char *conf_section_suggest_key(const struct conf_section *section,
                                     const struct conf_handler *const *handlers, const char *key)
{
    const struct conf_option *option;
    const char *nearest = NULL;
    size_t edits = NEAR_EDITS + 1;

    for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
        keep_nearer(key, option->key, &nearest, &edits);
    return nearest;
}

const char *conf_section_suggest(const char *name)
{
    const char *nearest = NULL;
    size_t edits = NEAR_EDITS + 1;

    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        keep_nearer(name, section->name, &nearest, &edits);
    return nearest;
}

bool conf_methods_have(const char *methods, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = methods; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if (word == len && strncmp(at, method, len) == 0)
            return true;
        at += word;
        at += strspn(at, ", ");
    }
    return false;
}

void conf_options_list(FILE *out, const struct conf_handler *const *handlers)
{
    const struct conf_option *option;

    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
            (void)fprintf(out, "%s.%s\n", section->name, option->key);
}
