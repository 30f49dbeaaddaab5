#include "config.h"

#include "conf/value_list.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"
#include "base/utf8.h"
#include "conf/list.h"
#include "conf/registry_url.h"

/* What says that there is none of the words. */
#define NO_WORD "off"

static int check_network(const struct conf_option *option, const char *text,
                         char why[CONF_WHY_SIZE])
{
    struct network network;
    const char *reason;

    (void)option;
    if (network_parse(text, &network, &reason) < 0)
        return conf_value_refuse(why, "'%.*s': %s", CONF_QUOTED_MAX, text, reason);
    return 0;
}

static int check_text(const struct conf_option *option, const char *text, char why[CONF_WHY_SIZE])
{
    size_t len = strlen(text);

    if (len >= (size_t)option->min && len <= (size_t)option->max)
        return 0;
    return conf_value_refuse(why, "'%.*s' has %zu byte%s, it must have %ld to %ld", CONF_QUOTED_MAX,
                             text, len, len == 1 ? "" : "s", option->min, option->max);
}

/* What is wrong may be the secret in it: nothing of it is quoted. */
static int check_url(const struct conf_option *option, const char *text, char why[CONF_WHY_SIZE])
{
    if (strlen(text) > (size_t)option->max)
        return conf_value_refuse(why, "a URL has more than %ld bytes", option->max);
    if (text[0] == '\0' || !utf8_is_printable(text, strlen(text)))
        return conf_value_refuse(why, "a URL is empty or has control characters");
    return 0;
}

/* A token of RFC 9110 section 5.6.2. */
static size_t token_length(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool has_control_bytes(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

/* Fields that the server makes itself: a second one would contradict it. */
static const char *const reserved[] = {
    "Connection", "Content-Length", "Content-Range",     "Content-Type", "Date", "Keep-Alive",
    "TE",         "Trailer",        "Transfer-Encoding", "Upgrade",
};

static bool is_reserved(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strlen(reserved[i]) == len && strncasecmp(reserved[i], name, len) == 0)
            return true;
    return false;
}

static int check_field(const struct conf_option *option, const char *text, char why[CONF_WHY_SIZE])
{
    size_t name = token_length(text);

    if (name == 0 || text[name] != ':')
        return conf_value_refuse(why, "'%.*s' is not a header field such as \"Name: value\"",
                                 CONF_QUOTED_MAX, text);
    if (has_control_bytes(text))
        return conf_value_refuse(why, "the field '%.*s' has control characters", (int)name, text);
    if (is_reserved(text, name))
        return conf_value_refuse(why, "the field '%.*s' is made by the server", (int)name, text);
    return check_text(option, text, why);
}

static unsigned word_bit(const struct conf_option *option, const char *text)
{
    for (unsigned i = 0; option->choices[i] != NULL; i++)
        if (strcmp(option->choices[i], text) == 0)
            return 1U << i;
    return 0;
}

static int check_word(const struct conf_option *option, const char *text, char why[CONF_WHY_SIZE])
{
    if (strcmp(text, NO_WORD) == 0)
        return conf_value_refuse(why, "'" NO_WORD "' stands alone, without other words");
    if (word_bit(option, text) == 0)
        return conf_value_refuse_choice(why, option->choices, text);
    return 0;
}

static const struct {
    int (*check)(const struct conf_option *option, const char *text, char why[CONF_WHY_SIZE]);
} types[] = {
    [CONF_NETWORKS] = {check_network}, [CONF_TEXTS] = {check_text}, [CONF_FIELDS] = {check_field},
    [CONF_WORDS] = {check_word},       [CONF_URLS] = {check_url},
};

bool conf_type_is_list(enum conf_type type)
{
    return type < sizeof(types) / sizeof(types[0]) && types[type].check != NULL;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

int conf_list_read(const struct conf_option *option, const struct conf_list *texts,
                   struct conf_list *field, char why[CONF_WHY_SIZE])
{
    struct conf_list list = {NULL, 0};
    size_t n = texts->n == 1 && is_blank(texts->items[0]) ? 0 : texts->n;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = types[option->type].check(option, texts->items[i], why);
        if (rc == 0)
            rc = conf_list_add(&list, texts->items[i], strlen(texts->items[i]));
    }
    if (rc < 0) {
        conf_list_clear(&list);
        return rc;
    }
    conf_list_clear(field);
    *field = list;
    return 0;
}

void conf_list_print(const struct conf_option *option, const void *field, FILE *out)
{
    const struct conf_list *list = field;

    (void)option;
    (void)fputs("{", out);
    for (size_t i = 0; i < list->n; i++) {
        (void)fputs(i > 0 ? ", " : " ", out);
        conf_text_print(list->items[i], out);
    }
    (void)fputs(list->n > 0 ? " }" : "}", out);
}

void conf_urls_print(const struct conf_option *option, const void *field, FILE *out)
{
    const struct conf_list *list = field;
    char masked[REGISTRY_URL_MASKED_SIZE];

    (void)option;
    (void)fputs("{", out);
    for (size_t i = 0; i < list->n; i++) {
        registry_url_mask(list->items[i], masked);
        (void)fputs(i > 0 ? ", " : " ", out);
        conf_text_print(masked, out);
    }
    (void)fputs(list->n > 0 ? " }" : "}", out);
}

int conf_words_read(const struct conf_option *option, const struct conf_list *texts,
                    unsigned *field, char why[CONF_WHY_SIZE])
{
    struct conf_list words = {NULL, 0};
    unsigned bits = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < texts->n; i++)
        rc = conf_list_split(&words, texts->items[i], CONF_LIST_WORDS);
    bool is_none = words.n == 1 && strcmp(words.items[0], NO_WORD) == 0;
    for (size_t i = 0; rc == 0 && !is_none && i < words.n; i++) {
        rc = check_word(option, words.items[i], why);
        bits |= word_bit(option, words.items[i]);
    }
    conf_list_clear(&words);
    if (rc == 0)
        *field = bits;
    return rc;
}

void conf_words_print(const struct conf_option *option, const void *field, FILE *out)
{
    unsigned bits = *(const unsigned *)field;

    (void)fputs("{", out);
    for (unsigned i = 0, printed = 0; option->choices[i] != NULL; i++)
        if ((bits & 1U << i) != 0)
            (void)fprintf(out, "%s\"%s\"", printed++ > 0 ? ", " : " ", option->choices[i]);
    (void)fputs(bits != 0 ? " }" : "}", out);
}

void conf_list_field_clear(void *field)
{
    conf_list_clear(field);
}
