#include "config.h"

#include <errno.h>

#include "conf/assignments.h"
#include "conf/load.h"
#include "conf/schema.h"
#include "conf/value.h"

/* A file name may hold a line end; in a comment it must not. */
static void print_origin(const struct conf_assignment *assignment, FILE *out)
{
    const char *where = assignment != NULL ? assignment->origin.where : "built-in";

    (void)fputs("  # ", out);
    for (; *where != '\0'; where++)
        (void)fputc((unsigned char)*where < 0x20 || *where == 0x7f ? '?' : *where, out);
    (void)fputc('\n', out);
}

static void print_options(const struct conf *conf, struct conf_name name,
                          const struct conf_option *options, const void *settings, FILE *out)
{
    for (const struct conf_option *option = options; option && option->key != NULL; option++) {
        name.key = option->key;
        (void)fprintf(out, "    # %s\n    %s = ", option->help, option->key);
        conf_value_print(option, settings, out);
        print_origin(conf_assignments_winner(conf->assignments, name), out);
    }
}

static void print_section(const struct conf *conf, const struct conf_section *section, FILE *out)
{
    (void)fprintf(out, "%s {\n", section->name);
    print_options(conf, (struct conf_name){section, NULL, NULL}, section->options,
                  (const char *)conf + section->offset, out);
    (void)fputs("}\n", out);
}

static void print_title(const struct conf *conf, struct conf_name name, FILE *out)
{
    (void)fprintf(out, "%s ", name.section->name);
    conf_text_print(name.title, out);
    (void)fputs(" {", out);
    print_origin(conf_assignments_newest(conf->assignments, name), out);
}

/* `mode` is refused on a TCP listener, so it is not said of one. */
static void print_listen(const struct conf *conf, const struct conf_section *section,
                         const struct conf_listen *listen, FILE *out)
{
    struct conf_name name = {section, listen->title, NULL};
    bool is_unix = address_port(&listen->address) < 0;

    print_title(conf, name, out);
    for (const struct conf_option *option = section->options; option->key != NULL; option++) {
        const struct conf_option one[] = {*option, {.key = NULL}};

        if (is_unix || option->type != CONF_OCTAL)
            print_options(conf, name, one, listen, out);
    }
    (void)fputs("}\n", out);
}

static void print_route(const struct conf *conf, const struct conf_section *section,
                        const struct conf_route *route, FILE *out)
{
    struct conf_name name = {section, route->pattern, NULL};

    print_title(conf, name, out);
    name.key = section->selector;
    (void)fprintf(out, "    %s = ", name.key);
    conf_text_print(route->handler->name, out);
    print_origin(conf_assignments_newest(conf->assignments, name), out);
    print_options(conf, name, route->handler->options, route->settings, out);
    (void)fputs("}\n", out);
}

static void print_any(const struct conf *conf, const struct conf_section *section, FILE *out)
{
    if (!section->titled)
        print_section(conf, section, out);
    else if (section->selector != NULL)
        for (size_t i = 0; i < conf->n_routes; i++)
            print_route(conf, section, &conf->routes[i], out);
    else
        for (size_t i = 0; i < conf->n_listens; i++)
            print_listen(conf, section, &conf->listens[i], out);
}

int conf_dump(const struct conf *conf, FILE *out)
{
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        print_any(conf, section, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
