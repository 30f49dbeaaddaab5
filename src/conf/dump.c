#include "config.h"

#include <errno.h>

#include "conf/assignments.h"
#include "conf/load.h"
#include "conf/schema.h"
#include "conf/value.h"

/* What is printed, where to, and how. */
struct dump {
    const struct conf *conf;
    FILE *out;
    bool reveals; /* secrets are printed as they are */
};

/* A file name may hold a line end; in a comment it must not. */
static void print_origin(const struct conf_assignment *assignment, FILE *out)
{
    const char *where = assignment != NULL ? assignment->origin.where : "built-in";

    (void)fputs("  # ", out);
    for (; *where != '\0'; where++)
        (void)fputc((unsigned char)*where < 0x20 || *where == 0x7f ? '?' : *where, out);
    (void)fputc('\n', out);
}

static void print_value(const struct dump *dump, const struct conf_option *option,
                        const void *settings)
{
    if (dump->reveals && option->type == CONF_SECRET)
        conf_text_print(*(char *const *)((const char *)settings + option->offset), dump->out);
    else
        conf_value_print(option, settings, dump->out);
}

static void print_options(const struct dump *dump, struct conf_name name,
                          const struct conf_option *options, const void *settings)
{
    for (const struct conf_option *option = options; option && option->key != NULL; option++) {
        name.key = option->key;
        (void)fprintf(dump->out, "    # %s\n    %s = ", option->help, option->key);
        print_value(dump, option, settings);
        print_origin(conf_assignments_winner(dump->conf->assignments, name), dump->out);
    }
}

static void print_section(const struct dump *dump, const struct conf_section *section)
{
    (void)fprintf(dump->out, "%s {\n", section->name);
    print_options(dump, (struct conf_name){section, NULL, NULL}, section->options,
                  (const char *)dump->conf + section->offset);
    (void)fputs("}\n", dump->out);
}

static void print_title(const struct dump *dump, struct conf_name name)
{
    (void)fprintf(dump->out, "%s ", name.section->name);
    conf_text_print(name.title, dump->out);
    (void)fputs(" {", dump->out);
    print_origin(conf_assignments_newest(dump->conf->assignments, name), dump->out);
}

/* `mode` is refused on a TCP listener, so it is not said of one. */
static void print_listen(const struct dump *dump, const struct conf_section *section,
                         const struct conf_listen *listen)
{
    struct conf_name name = {section, listen->title, NULL};
    bool is_unix = address_port(&listen->address) < 0;

    print_title(dump, name);
    for (const struct conf_option *option = section->options; option->key != NULL; option++) {
        const struct conf_option one[] = {*option, {.key = NULL}};

        if (is_unix || option->type != CONF_OCTAL)
            print_options(dump, name, one, listen);
    }
    (void)fputs("}\n", dump->out);
}

static void print_route(const struct dump *dump, const struct conf_section *section,
                        const struct conf_route *route)
{
    struct conf_name name = {section, route->pattern, NULL};

    print_title(dump, name);
    print_options(dump, name, section->options, route);
    print_options(dump, name, route->handler->options, route->settings);
    (void)fputs("}\n", dump->out);
}

/* What is saved is read as a file, and so above the built-in routes, which give way to files. */
static void print_routes(const struct dump *dump, const struct conf_section *section)
{
    for (size_t i = 0; i < dump->conf->n_routes; i++) {
        struct conf_name name = {section, dump->conf->routes[i].pattern, NULL};

        if (!dump->reveals || !conf_assignments_are_built_in(dump->conf->assignments, name))
            print_route(dump, section, &dump->conf->routes[i]);
    }
}

static void print_any(const struct dump *dump, const struct conf_section *section)
{
    const struct conf *conf = dump->conf;

    if (!section->titled)
        print_section(dump, section);
    else if (section->selector != NULL)
        print_routes(dump, section);
    else
        for (size_t i = 0; i < conf->n_listens; i++)
            print_listen(dump, section, &conf->listens[i]);
}

static int print_all(const struct dump *dump)
{
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        print_any(dump, section);
    return fflush(dump->out) == 0 && !ferror(dump->out) ? 0 : -EIO;
}

int conf_dump(const struct conf *conf, FILE *out)
{
    return print_all(&(struct dump){conf, out, false});
}

int conf_save(const struct conf *conf, FILE *out)
{
    return print_all(&(struct dump){conf, out, true});
}
