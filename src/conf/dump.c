#include "config.h"

#include <errno.h>
#include <string.h>

#include "conf/assignments.h"
#include "conf/load.h"
#include "conf/schema.h"
#include "conf/value.h"
#include "conf/value_list.h"

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
    const void *field = (const char *)settings + option->offset;

    if (dump->reveals && option->type == CONF_SECRET)
        conf_text_print(*(char *const *)field, dump->out);
    else if (dump->reveals && option->type == CONF_URLS)
        conf_list_print(option, field, dump->out);
    else
        conf_value_print(option, settings, dump->out);
}

static const char *indent_of(const struct conf_section *section)
{
    return section->parent != NULL ? "    " : "";
}

static void print_options(const struct dump *dump, struct conf_name name,
                          const struct conf_option *options, const void *settings)
{
    const char *indent = indent_of(name.section);

    for (const struct conf_option *option = options; option && option->key != NULL; option++) {
        name.key = option->key;
        (void)fprintf(dump->out, "%s    # %s\n%s    %s = ", indent, option->help, indent,
                      option->key);
        print_value(dump, option, settings);
        print_origin(conf_assignments_winner(dump->conf->assignments, name), dump->out);
    }
}

static void print_section(const struct dump *dump, const struct conf_section *section)
{
    (void)fprintf(dump->out, "%s {\n", section->name);
    print_options(dump, (struct conf_name){.section = section}, section->options,
                  (const char *)dump->conf + section->offset);
    (void)fputs("}\n", dump->out);
}

static void print_title(const struct dump *dump, struct conf_name name)
{
    (void)fprintf(dump->out, "%s%s ", indent_of(name.section), name.section->name);
    conf_text_print(name.title, dump->out);
    (void)fputs(" {", dump->out);
    print_origin(conf_assignments_newest(dump->conf->assignments, name), dump->out);
}

/* `mode` is refused on a TCP listener, so it is not said of one. */
static void print_listen(const struct dump *dump, const struct conf_section *section,
                         const struct conf_listen *listen)
{
    struct conf_name name = {.section = section, .title = listen->title};
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
    struct conf_name name = {.section = section, .title = route->pattern};

    print_title(dump, name);
    print_options(dump, name, section->options, route);
    print_options(dump, name, route->handler->options, route->settings);
    (void)fputs("}\n", dump->out);
}

/* What is saved is read as a file, and so above the built-in routes, which give way to files. */
static void print_routes(const struct dump *dump, const struct conf_section *section)
{
    for (size_t i = 0; i < dump->conf->n_routes; i++) {
        struct conf_name name = {.section = section, .title = dump->conf->routes[i].pattern};

        if (!dump->reveals || !conf_assignments_are_built_in(dump->conf->assignments, name))
            print_route(dump, section, &dump->conf->routes[i]);
    }
}

static void print_server(const struct dump *dump, struct conf_name name,
                         const struct conf_server *server)
{
    name.title = server->title;
    print_title(dump, name);
    print_options(dump, name, name.section->options, server);
    (void)fputs("    }\n", dump->out);
}

/* What a route has added, it adds again. */
static void print_upstream(const struct dump *dump, const struct conf_section *section,
                           const struct conf_upstream *upstream)
{
    struct conf_name name = {.section = section, .title = upstream->title};
    struct conf_name server = {.section = conf_section_find("server"), .outer = upstream->title};
    struct conf_name check = {.section = conf_section_find("check"), .outer = upstream->title};

    if (conf_assignments_newest(dump->conf->assignments, name) == NULL)
        return;
    print_title(dump, name);
    print_options(dump, name, section->options, upstream);
    for (size_t i = 0; i < upstream->n_servers; i++)
        print_server(dump, server, &upstream->servers[i]);
    (void)fputs("    check {\n", dump->out);
    print_options(dump, check, check.section->options,
                  (const char *)upstream + check.section->offset);
    (void)fputs("    }\n}\n", dump->out);
}

static void print_any(const struct dump *dump, const struct conf_section *section)
{
    const struct conf *conf = dump->conf;

    if (section->parent != NULL)
        return;
    if (!section->titled)
        print_section(dump, section);
    else if (section->selector != NULL)
        print_routes(dump, section);
    else if (strcmp(section->name, "listen") == 0)
        for (size_t i = 0; i < conf->n_listens; i++)
            print_listen(dump, section, &conf->listens[i]);
    else
        for (size_t i = 0; i < conf->n_upstreams; i++)
            print_upstream(dump, section, &conf->upstreams[i]);
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
