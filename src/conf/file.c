/*
 * Files to assignments. libConfuse knows the syntax; each value, as it is
 * read, becomes an assignment that knows its line.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/grammar.h"
#include "conf/read.h"
#include "conf/scan.h"
#include "conf/schema.h"
#include "conf/source.h"

/* A file that includes itself meets this soon. */
#define INCLUDE_DEPTH_MAX 8

#define WHERE_SIZE CONF_ERROR_SIZE

/* The file that is being read. */
struct file {
    const struct conf_source *source;
    enum conf_layer layer;
    const char *path;
    char *folder;
    unsigned depth;
    const char *title; /* of the newest section of the file that has one; libConfuse's */
    int rc;            /* the first failure of a callback */
};

/*
 * libConfuse's callbacks have no argument for a caller's data, and its lexer
 * is one for the process. So is this: set while conf_source_file() runs.
 */
static struct file *current;

static struct conf_origin origin_at(const cfg_t *cfg, char where[WHERE_SIZE])
{
    (void)snprintf(where, WHERE_SIZE, "%s:%d", current->path, cfg->line);
    return (struct conf_origin){current->layer, where, current->folder};
}

/* Note a failure and stop libConfuse. */
static int stop(int rc)
{
    if (current->rc == 0)
        current->rc = rc;
    return -1;
}

__attribute__((format(printf, 2, 3))) static int stop_at(const cfg_t *cfg, const char *format, ...)
{
    char where[WHERE_SIZE], what[CONF_ERROR_SIZE];
    va_list ap;

    (void)origin_at(cfg, where);
    va_start(ap, format);
    (void)vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    return stop(conf_fail(current->source->error, where, "%s", what));
}

static int stop_unknown_section(const cfg_t *cfg, const char *name)
{
    const struct conf_section *section = conf_section_find(name);
    const char *nearest = conf_section_suggest(name);

    if (section != NULL)
        return stop_at(cfg, "section %s stands in a section %s", name, section->parent);
    if (nearest != NULL)
        return stop_at(cfg, "unknown section '%.100s'; did you mean '%s'?", name, nearest);
    return stop_at(cfg, "unknown section '%.100s'", name);
}

static int stop_unknown(const cfg_t *cfg, const char *key)
{
    const struct conf_section *section = conf_section_find(cfg->name);
    const char *nearest;

    if (section == NULL)
        return stop_unknown_section(cfg, key);
    nearest = conf_section_suggest_key(section, current->source->handlers, key);
    if (nearest != NULL)
        return stop_at(cfg, "unknown key '%.100s' in section %s; did you mean '%s'?", key,
                       section->name, nearest);
    return stop_at(cfg, "unknown key '%.100s' in section %s", key, section->name);
}

/* Refuse what this file, or one that it includes or is included by, has said already. */
static int check_first(const cfg_t *cfg, const struct conf_name *name)
{
    const struct conf_assignment *before;
    char text[CONF_NAME_SIZE];

    before = conf_assignments_find_in(current->source->list, *name, current->layer);
    if (before == NULL)
        return 0;
    conf_name_format(*name, text);
    return stop_at(cfg, "%s stands at %.400s already", text, before->origin.where);
}

/* libConfuse finds `section|key` in another section than the one it is in. */
static bool owns(const cfg_t *cfg, const cfg_opt_t *opt)
{
    return opt >= cfg->opts && opt < cfg->opts + cfg_numopts(cfg->opts);
}

/*
 * What the key of cfg is called; NULL: cfg itself. libConfuse tells of no section
 * in which it stands; but that has a title, and its opening is the last we saw.
 */
static struct conf_name name_in(const cfg_t *cfg, const char *key)
{
    const struct conf_section *section = conf_section_find(cfg->name);
    const char *outer = section->parent != NULL ? current->title : NULL;

    return (struct conf_name){.section = section, .title = cfg->title, .key = key, .outer = outer};
}

/* A cfg_callback_t: *result gets the text that libConfuse keeps a copy of. */
static int set_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct conf_name name;
    char where[WHERE_SIZE];
    int rc = 0;

    *(const char **)result = value;
    if (!owns(cfg, opt))
        return stop_unknown(cfg, opt->name);
    name = name_in(cfg, opt->name);
    if (opt->nvalues == 1) {
        if (check_first(cfg, &name) < 0)
            return -1;
        rc = conf_assignments_add(current->source->list, name, origin_at(cfg, where));
    }
    if (rc == 0)
        rc = conf_assignments_add_value(current->source->list, value);
    return rc < 0 ? stop(rc) : 0;
}

/* A cfg_callback_t. libConfuse would abort() if it failed: the next callback does instead. */
static int open_section(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct conf_name name = name_in(cfg, NULL);
    char where[WHERE_SIZE];
    int rc;

    (void)opt;
    (void)value;
    *(void **)result = NULL;
    if (name.section->parent == NULL)
        current->title = cfg->title;
    if (check_first(cfg, &name) < 0)
        return 0;
    rc = conf_assignments_add(current->source->list, name, origin_at(cfg, where));
    if (rc < 0)
        (void)stop(rc);
    return 0;
}

/*
 * libConfuse's messages, which have one text each, and ours, which stand
 * around its argument. It translates none: no setlocale().
 */
static const struct message {
    const char *theirs;
    const char *before; /* NULL: the argument is an unknown key */
    const char *after;
} messages[] = {
    {"no such option '%s'", NULL, NULL},
    {"no sub-section title/index for '%s'", NULL, NULL},
    {"unexpected token '%s'", "'", "' is not expected here"},
    {"missing equal sign after option '%s'", "after ", " there must be '=' and a value"},
    {"missing opening brace for section '%s'", "section ", " must go on with '{'"},
    {"missing title for section '%s'", "section ", " needs a title: a string before the '{'"},
    {"missing parenthesis for function '%s'", "", " must go on with (\"FILE\")"},
    {"unexpected closing brace", "this '}' closes nothing", ""},
    {"premature end of file", "the file ends where a value or '{' is missing", ""},
};

static const struct message *find_message(const char *theirs)
{
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (strcmp(messages[i].theirs, theirs) == 0)
            return &messages[i];
    return NULL;
}

/* A cfg_errfunc_t. */
__attribute__((format(printf, 2, 0))) static void complain(cfg_t *cfg, const char *format,
                                                           va_list ap)
{
    const struct message *message = find_message(format);
    char what[CONF_ERROR_SIZE];

    if (message == NULL) {
        (void)vsnprintf(what, sizeof(what), format, ap);
        (void)stop_at(cfg, "%s", what);
        return;
    }
    const char *argument = strstr(format, "%s") != NULL ? va_arg(ap, const char *) : "";
    if (message->before == NULL)
        (void)stop_unknown(cfg, argument);
    else
        (void)stop_at(cfg, "%s%s%s", message->before, argument, message->after);
}

/* The folder of a path as the path is written, allocated: "" when it has none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return strdup("");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Let libConfuse read the text as one more file into cfg. */
static int parse_text(cfg_t *cfg, char *text)
{
    size_t len = strlen(text);
    FILE *stream;
    int line = cfg->line;

    if (len == 0)
        return 0;
    stream = fmemopen(text, len, "r");
    if (stream == NULL)
        return -ENOMEM;
    if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS && current->rc == 0)
        (void)stop_at(cfg, "syntax error");
    cfg->line = line;
    (void)fclose(stream);
    return current->rc;
}

/* Read one file, base or included, as the current one. */
static int parse_file(cfg_t *cfg, struct file *file)
{
    struct file *outer = current;
    char *text = NULL;
    int rc =
        conf_read(file->path, CONF_FILE_BYTES_MAX, "a configuration", &text, file->source->error);

    if (rc == 0)
        rc = conf_scan(text, file->path, file->source->error);
    file->folder = folder_of(file->path);
    if (rc == 0 && file->folder == NULL)
        rc = -ENOMEM;
    if (rc == 0) {
        current = file;
        rc = parse_text(cfg, text);
        current = outer;
    }
    free(file->folder);
    free(text);
    return rc;
}

/* A cfg_func_t. libConfuse's own include forgets open files after an error. */
static int include_file(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    struct file file = *current;
    char *path = NULL;
    int rc = -ENOMEM;

    (void)opt;
    if (argc != 1 || argv[0][0] == '\0')
        return stop_at(cfg, "one file is included by include(\"FILE\")");
    if (++file.depth > INCLUDE_DEPTH_MAX)
        return stop_at(cfg, "files include each other more than %d deep", INCLUDE_DEPTH_MAX);

    if (argv[0][0] == '/' || current->folder[0] == '\0')
        path = strdup(argv[0]);
    else if (asprintf(&path, "%s/%s", current->folder, argv[0]) < 0)
        path = NULL;
    file.path = path;
    if (path != NULL)
        rc = parse_file(cfg, &file);
    free(path);
    return rc < 0 ? stop(rc) : 0;
}

int conf_source_file(const struct conf_source *source, const char *path, enum conf_layer layer)
{
    static const struct conf_grammar_calls calls = {set_value, open_section, include_file,
                                                    complain};
    struct file file = {.source = source, .layer = layer, .path = path};
    cfg_t *cfg = conf_grammar_new(source->handlers, &calls);
    int rc;

    if (cfg == NULL)
        return -ENOMEM;
    rc = parse_file(cfg, &file);
    (void)cfg_free(cfg);
    return rc;
}
