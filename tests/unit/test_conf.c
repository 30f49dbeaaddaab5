/*
 * Loading configurations: each row writes its files into a new folder, sets
 * its environment, loads, and compares the message or lines of the dump.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/load.h"

struct text_settings {
    char *body;
    char *content_type;
    long status;
};

static const struct conf_option text_options[] = {
    {.key = "body",
     .type = CONF_TEXT,
     .offset = offsetof(struct text_settings, body),
     .max = 65536,
     .fallback = "Hello from a zombie.\n",
     .help = "the answer"},
    {.key = "content_type",
     .type = CONF_TEXT,
     .offset = offsetof(struct text_settings, content_type),
     .max = 128,
     .fallback = "text/plain; charset=utf-8",
     .help = "its media type"},
    {.key = "status",
     .type = CONF_NUMBER,
     .offset = offsetof(struct text_settings, status),
     .min = 200,
     .max = 599,
     .fallback = "200",
     .help = "its status"},
    {.key = NULL}};

static const struct conf_handler text = {"text", text_options, sizeof(struct text_settings)};
static const struct conf_handler identity = {"identity", NULL, 0};
static const struct conf_handler health = {"health", NULL, 0};
static const struct conf_handler worker_killer = {"worker_killer", NULL, 0};
static const struct conf_handler not_found = {"not_found", NULL, 0};
static const struct conf_handler *const handlers[] = {&text,          &identity,  &health,
                                                      &worker_killer, &not_found, NULL};

#define MAX_WORDS 8

/* In texts of a row, '@' stands for the row's folder. */
struct row {
    const char *base;    /* a.conf, given as -c; NULL: no -c */
    const char *overlay; /* over.conf, given as -e over */
    const char *other;   /* other.conf */
    const char *env[4];  /* "NAME=value" */
    const char *words[MAX_WORDS];
    const char *error;    /* the message, whole or up to a last '*'; NULL: loads */
    const char *lines[8]; /* of the dump: the key's line, behind its section's name */
};

static const char *const variables[] = {"ZOMBIE_LISTEN", "ZOMBIE_WORKERS", "ZOMBIE_CONTAINERS",
                                        "ZOMBIE_CHAOS",  "PORT",           "ZOMBIE_ENV",
                                        "ZOMBIE_TEST"};

static char folder[64];

static void clear_environment(void)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        (void)unsetenv(variables[i]);
}

static int make_folder(void **state)
{
    (void)state;
    clear_environment();
    (void)strcpy(folder, "/tmp/zombie-conf-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    (void)state;
    clear_environment();
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    return rmdir(folder);
}

static void put_bytes(const char *name, const void *bytes, size_t size)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put(const char *name, const char *content)
{
    put_bytes(name, content, strlen(content));
}

/* The template with the folder in place of each '@', allocated. */
static char *expand(const char *template)
{
    char *expanded = NULL;
    size_t size;
    FILE *out = open_memstream(&expanded, &size);

    assert_non_null(out);
    for (; *template != '\0'; template ++) {
        if (*template == '@')
            (void)fputs(folder, out);
        else
            (void)fputc(*template, out);
    }
    (void)fclose(out);
    return expanded;
}

/* Load with these words on the command line; a NULL ends them. */
static int load(char *const *words, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char *argv[2 * MAX_WORDS] = {(char *)"zombie-server"};
    struct conf_args args;
    int argc = 1;
    int rc;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = words[argc - 1];
    assert_int_equal(conf_args_parse(argc, argv, &args, error, CONF_ERROR_SIZE), 0);
    rc = conf_load(&args, handlers, ret_conf, error);
    conf_args_clear(&args);
    return rc;
}

/* Load only the file of that name in the folder. */
static int load_file(const char *name, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char path[128];
    char *words[] = {(char *)"-c", path, NULL};

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return load(words, ret_conf, error);
}

static char *dump(const struct conf *conf)
{
    char *dumped = NULL;
    size_t size;
    FILE *out = open_memstream(&dumped, &size);

    assert_non_null(out);
    assert_int_equal(conf_dump(conf, out), 0);
    (void)fclose(out);
    return dumped;
}

/* The dump without help, each key's line behind the first words of its section. Allocated. */
static char *flat_dump(const struct conf *conf)
{
    char *dumped = dump(conf), *flat = NULL, *rest = NULL;
    char section[256] = "";
    size_t size;
    FILE *out = open_memstream(&flat, &size);

    assert_non_null(out);
    for (char *line = strtok_r(dumped, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "    #", 5) == 0 || line[0] == '}')
            continue;
        if (line[0] == ' ') {
            (void)fprintf(out, "%s: %s\n", section, line + 4);
            continue;
        }
        (void)fprintf(out, "%s\n", line);
        (void)snprintf(section, sizeof(section), "%.*s", (int)(strstr(line, " {") - line), line);
    }
    (void)fclose(out);
    free(dumped);
    return flat;
}

static bool has_line(const char *flat, const char *line)
{
    size_t len = strlen(line);

    for (const char *at = flat; (at = strstr(at, line)) != NULL; at++)
        if ((at == flat || at[-1] == '\n') && at[len] == '\n')
            return true;
    return false;
}

/* A line that starts with '!' must not be there. */
static void check_lines(const struct row *row, const struct conf *conf)
{
    char *flat = flat_dump(conf);

    for (size_t i = 0; i < 8 && row->lines[i] != NULL; i++) {
        bool unwanted = row->lines[i][0] == '!';
        char *line = expand(row->lines[i] + unwanted);

        if (has_line(flat, line) == unwanted)
            fail_msg("%s line \"%s\" in:\n%s", unwanted ? "unwanted" : "missing", line, flat);
        free(line);
    }
    free(flat);
}

static void put_files(const struct row *row)
{
    if (row->base != NULL)
        put("a.conf", row->base);
    if (row->overlay != NULL)
        put("over.conf", row->overlay);
    if (row->other != NULL)
        put("other.conf", row->other);
}

static void set_environment(const struct row *row)
{
    clear_environment();
    for (size_t i = 0; i < 4 && row->env[i] != NULL; i++) {
        char *name = strdup(row->env[i]);
        char *equals = strchr(name, '=');

        *equals = '\0';
        assert_int_equal(setenv(name, equals + 1, 1), 0);
        free(name);
    }
}

static int load_row(const struct row *row, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char *words[2 * MAX_WORDS] = {NULL};
    size_t n = 0;
    int rc;

    if (row->base != NULL) {
        words[n++] = strdup("-c");
        words[n++] = expand("@/a.conf");
    }
    if (row->overlay != NULL) {
        words[n++] = strdup("-e");
        words[n++] = strdup("over");
    }
    for (size_t i = 0; i < MAX_WORDS && row->words[i] != NULL; i++)
        words[n++] = expand(row->words[i]);
    rc = load(words, ret_conf, error);
    while (n > 0)
        free(words[--n]);
    return rc;
}

static void run(const struct row *row)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    int rc;

    put_files(row);
    set_environment(row);
    rc = load_row(row, &conf, error);
    if (row->error != NULL) {
        char *expected = expand(row->error);
        size_t last = strlen(expected) - 1;

        if (expected[last] == '*')
            error[last] = expected[last] = '\0';
        assert_string_equal(rc == 0 ? "(loads)" : error, expected);
        assert_int_equal(rc, -EINVAL);
        assert_null(conf);
        free(expected);
    } else if (rc < 0) {
        fail_msg("%s", error);
    } else {
        check_lines(row, conf);
    }
    conf_free(conf);
}

#define RUN(rows)                                                                         \
    for (size_t row_index = 0; row_index < sizeof(rows) / sizeof((rows)[0]); row_index++) \
    run(&(rows)[row_index])

static void has_built_in_values(void **state)
{
    static const struct row rows[] = {
        {.lines = {"listen \"127.0.0.1:3000\" {  # built-in",
                   "instance: workers = \"auto\"  # built-in",
                   "chaos: enabled = \"no\"  # built-in",
                   "route \"/{$}\": handler = \"identity\"  # built-in",
                   "route \"/hello\": body = \"Hello from a zombie.\\x0a\"  # built-in",
                   "route \"/healthcheck\": handler = \"health\"  # built-in",
                   "route \"/workerKiller\": handler = \"worker_killer\"  # built-in",
                   "!listen \"127.0.0.1:3000\": mode = \"0660\"  # built-in"}},
        {.base = "", .lines = {"listen \"127.0.0.1:3000\" {  # built-in"}},
        {.base = "# nothing", .lines = {"listen \"127.0.0.1:3000\" {  # built-in"}},
    };
    struct conf *conf = NULL;
    char error[CONF_ERROR_SIZE];
    char *none[] = {NULL};

    (void)state;
    RUN(rows);
    clear_environment();
    assert_int_equal(load(none, &conf, error), 0);
    assert_int_equal(conf->instance.workers, 0);
    assert_int_equal(conf->instance.backoff_max_ms, 30000);
    assert_int_equal(conf->log.level, LOG_LEVEL_INFO);
    assert_string_equal(conf->log.target, "stderr");
    assert_int_equal(conf->n_listens, 1);
    assert_int_equal(address_port(&conf->listens[0].address), 3000);
    assert_int_equal(conf->listens[0].mode, 0660);
    assert_int_equal(conf->n_routes, 4);
    assert_string_equal(((struct text_settings *)conf->routes[1].settings)->content_type,
                        "text/plain; charset=utf-8");
    conf_free(conf);
}

static void reads_values(void **state)
{
    static const struct row rows[] = {
        {.base = "instance { workers = 3 daemon = ON on_crash_loop = exit }\n"
                 "log { level = debug format = 'json' target = \"x/y.log\" }\n"
                 "instance { pidfile = /run/z.pid }",
         .lines = {"instance: workers = \"3\"  # @/a.conf:1",
                   "instance: daemon = \"yes\"  # @/a.conf:1",
                   "instance: on_crash_loop = \"exit\"  # @/a.conf:1",
                   "log: level = \"debug\"  # @/a.conf:2", "log: format = \"json\"  # @/a.conf:2",
                   "log: target = \"@/x/y.log\"  # @/a.conf:2",
                   "instance: pidfile = \"/run/z.pid\"  # @/a.conf:3"}},
        {.base = "log {\n# one\n/* two\n   three */ target = stdout // four\n}\n"
                 "chaos { networks = { 10.0.0.0/8, # five\n unix } token = \"\" }\n",
         .lines = {"log: target = \"stdout\"  # @/a.conf:4",
                   "chaos: networks = { \"10.0.0.0/8\", \"unix\" }  # @/a.conf:6",
                   "chaos: token = \"\"  # @/a.conf:7"}},
        {.base = "chaos { networks = { /* none */ }\ntoken = abcdefghijklmnop }",
         .lines = {"chaos: networks = {}  # @/a.conf:1",
                   "chaos: token = \"********\"  # @/a.conf:2"}},
        {.base = "\nlisten 'unix:/run/z.sock' {\n mode = 600 }\nlisten \"[::]:0\" {}",
         .lines = {"listen \"unix:/run/z.sock\" {  # @/a.conf:2",
                   "listen \"unix:/run/z.sock\": mode = \"0600\"  # @/a.conf:3",
                   "listen \"[::]:0\" {  # @/a.conf:4",
                   "!listen \"127.0.0.1:3000\" {  # built-in"}},
        {.base = "instance { workers = ${ZOMBIE_TEST} containers = \"${ZOMBIE_NONE:-7}\" }",
         .env = {"ZOMBIE_TEST=5"},
         .lines = {"instance: workers = \"5\"  # @/a.conf:1",
                   "instance: containers = \"7\"  # @/a.conf:1"}},
        {.base = "listen \"127.0.0.1:0\" {}\nlisten \"127.0.0.1:00\" {}",
         .lines = {"listen \"127.0.0.1:0\" {  # @/a.conf:1",
                   "listen \"127.0.0.1:00\" {  # @/a.conf:2"}},
        {.base = "instance { user = root group = root }",
         .lines = {"instance: user = \"root\"  # @/a.conf:1"}},
        {.base = "route '/a' { handler = text body = \"\\\"\\\\\\t\\${x} \\101\\x42\" }",
         .lines = {"route \"/a\": body = \"\\\"\\\\\\x09\\${x} AB\"  # @/a.conf:1",
                   "route \"/hello\": handler = \"text\"  # built-in"}},
    };

    (void)state;
    RUN(rows);
}

static void refuses_bad_values(void **state)
{
    static const struct row rows[] = {
        {.base = "\n\n\ninstance { workers = x }",
         .error =
             "@/a.conf:4: instance.workers: 'x' is not 'auto' or a whole number from 1 to 1024"},
        {.base = "instance { workers = 0 }",
         .error =
             "@/a.conf:1: instance.workers: '0' is not 'auto' or a whole number from 1 to 1024"},
        {.base = "instance { containers = ${ZOMBIE_TEST} }",
         .error = "@/a.conf:1: instance.containers: '' is not a whole number from 1 to 4096"},
        {.base = "instance { containers = -1 }",
         .error = "@/a.conf:1: instance.containers: '-1' is not a whole number from 1 to 4096"},
        {.base = "instance { daemon = maybe }",
         .error = "@/a.conf:1: instance.daemon: 'maybe' is not yes or no"},
        {.base = "log { level = loud }",
         .error = "@/a.conf:1: log.level: 'loud' is not one of error, warning, info, debug"},
        {.base = "log { target = \"\" }", .error = "@/a.conf:1: log.target: the value is empty"},
        {.base = "listen \"unix:/z\" { mode = 0888 }",
         .error =
             "@/a.conf:1: listen \"unix:/z\": mode: '0888' is not an octal number from 0 to 0777"},
        {.base = "listen \"unix:/z\" { mode = 1777 }",
         .error =
             "@/a.conf:1: listen \"unix:/z\": mode: '1777' is not an octal number from 0 to 0777"},
        {.base = "chaos { token = short }",
         .error = "@/a.conf:1: chaos.token: the value has 5 bytes, not from 16 to 256"},
        {.base = "chaos { networks = { unix,\n10.0.0.0/8, '' } }",
         .error = "@/a.conf:1: chaos.networks: '': *"},
        {.base = "instance { user = \"no such user\" }",
         .error = "@/a.conf:1: instance.user: there is no user 'no such user'"},
        {.base = "instance {\ngroup = \"no such group\" }",
         .error = "@/a.conf:2: instance.group: there is no group 'no such group'"},
        {.base = "instance {\nbackoff_min_ms = 40000 }",
         .error =
             "@/a.conf:2: instance.backoff_max_ms (30000) is less than backoff_min_ms (40000)"},
        {.base = "instance {\nbackoff_min_ms = 40000\nbackoff_max_ms = 39999 }",
         .error =
             "@/a.conf:3: instance.backoff_max_ms (39999) is less than backoff_min_ms (40000)"},
        {.base = "route '/' { handler = text status = 99 }",
         .error = "@/a.conf:1: route \"/\": status: '99' is not a whole number from 200 to 599"},
    };

    (void)state;
    RUN(rows);
}

static void refuses_bad_sections(void **state)
{
    static const struct row rows[] = {
        {.base = "\nlisten '127.0.0.1:80' { mode = 0600 }",
         .error = "@/a.conf:2: listen \"127.0.0.1:80\": mode is for unix sockets only"},
        {.base = "listen '127.0.0.1:80' {}\nlisten '127.0.0.1:080' {}",
         .error =
             "@/a.conf:2: listen \"127.0.0.1:080\": \"127.0.0.1:80\" at @/a.conf:1 is the same "
             "address"},
        {.base = "listen 'unix:/z' {}\n\nlisten 'unix:/z' {}",
         .error = "@/a.conf:3: listen \"unix:/z\" stands at @/a.conf:1 already"},
        {.base = "route '/x' { handler = text }\nroute '/x' { handler = text }",
         .error = "@/a.conf:2: route \"/x\" stands at @/a.conf:1 already"},
        {.base = "route 'x' {\n handler = text }",
         .error = "@/a.conf:1: route \"x\": a pattern starts with '/'"},
        {.base = "route '/x' {\n }", .error = "@/a.conf:1: route \"/x\": handler is missing"},
        {.base = "route '/x' {\n handler = txet }",
         .error = "@/a.conf:2: route \"/x\": handler: there is no handler 'txet'"},
        {.base = "route '/x' {\n handler = identity\n body = x }",
         .error = "@/a.conf:3: route \"/x\": body is not an option of handler identity"},
        {.base = "route '/{$}' {\n status = 200 }",
         .error = "@/a.conf:2: route \"/{$}\": status is not an option of handler identity"},
    };
    char pattern[1024 + 64] = "route '/";
    struct row longest = {.base = pattern};

    (void)state;
    RUN(rows);
    memset(pattern + 8, 'x', 1023);
    (void)strcpy(pattern + 8 + 1023, "' { handler = health }");
    run(&longest);
    (void)strcpy(pattern + 8 + 1023, "x' { handler = health }");
    longest.error =
        "@/a.conf:1: route \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\": a pattern has "
        "at most 1024 bytes";
    run(&longest);
}

static void refuses_bad_syntax(void **state)
{
    static const struct row rows[] = {
        {.base = "\n\ninstance { wrokers = 1 }",
         .error = "@/a.conf:3: unknown key 'wrokers' in section instance; did you mean 'workers'?"},
        {.base = "http { zzzzzzzz = 1 }",
         .error = "@/a.conf:1: unknown key 'zzzzzzzz' in section http"},
        {.base = "# comment\ninstanec { }",
         .error = "@/a.conf:2: unknown section 'instanec'; did you mean 'instance'?"},
        {.base = "apache { }", .error = "@/a.conf:1: unknown section 'apache'"},
        {.base = "workers = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "instance {\nworkers = 1\ndaemon = no workers = 2 }",
         .error = "@/a.conf:3: instance.workers stands at @/a.conf:2 already"},
        {.base = "instance { workers = 1 }\ninstance { workers = 2 }",
         .error = "@/a.conf:2: instance.workers stands at @/a.conf:1 already"},
        {.base = "listen ':' {\nbacklog = 1\nbacklog = 2 }",
         .error = "@/a.conf:3: listen \":\": backlog stands at @/a.conf:2 already"},
        {.base = "chaos {\nnetworks = {}\nnetworks = { unix } }",
         .error = "@/a.conf:3: chaos.networks stands at @/a.conf:2 already"},
        {.base = "chaos {\nnetworks = { unix, unix }\nnetworks = {} }",
         .error = "@/a.conf:3: chaos.networks stands at @/a.conf:2 already"},
        {.base = "chaos { networks += { unix } }",
         .error = "@/a.conf:1: '+=' is not known: a list is given whole, with '='"},
        {.base = "instance { workers = +4 }", .error = "@/a.conf:1: '+' stands alone"},
        {.base = "instance { workers = 4* }", .error = "@/a.conf:1: '*' stands alone"},
        {.base = "instance { workers 4 }",
         .error = "@/a.conf:1: after workers there must be '=' and a value"},
        {.base = "instance { workers = }", .error = "@/a.conf:1: '}' is not expected here"},
        {.base = "instance\nworkers = 4",
         .error = "@/a.conf:2: section instance must go on with '{'"},
        {.base = "listen { }",
         .error = "@/a.conf:1: section listen needs a title: a string before the '{'"},
        {.base = "instance { } }", .error = "@/a.conf:1: this '}' closes nothing"},
        {.base = "instance", .error = "@/a.conf:1: the file ends where a value or '{' is missing"},
        {.base = "\ninstance {\nworkers = 4\n",
         .error = "@/a.conf:2: the '{' here is never closed"},
        {.base = "\n/* instance {\n}",
         .error = "@/a.conf:2: the comment that starts here is never closed"},
        {.base = "'' = 3", .error = "@/a.conf:1: syntax error"},
        {.base = "include('x', 'y')",
         .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include('')", .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include('x'", .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include 'x'", .error = "@/a.conf:1: include must go on with (\"FILE\")"},
        {.base = "route '/' { body = \"${X\n}\" }",
         .error = "@/a.conf:1: '${' needs a '}' on the same line; a plain one is written '\\${'"},
    };

    (void)state;
    RUN(rows);
}

/* What libConfuse's lexer would stumble over; see conf/scan.h. */
static void refuses_bad_escapes(void **state)
{
    static const char *const escapes[] = {"\\0", "\\x0", "\\x00", "\\400", "\\18", "\\8", "\\1234"};

    (void)state;
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        char base[128];
        struct row row = {
            .base = base,
            .error = "@/a.conf:2: a numeric escape is \\1 to \\377 or \\x1 to \\xff",
        };

        (void)snprintf(base, sizeof(base), "route '/' {\nbody = \"%s\" }", escapes[i]);
        run(&row);
    }
}

/* libConfuse reaches a key of another section by a path, and the hidden key by its name. */
static void refuses_paths_as_keys(void **state)
{
    static const struct row rows[] = {
        {.base = "instance|workers = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "'instance|workers' = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "'chaos|networks' = { unix }", .error = "@/a.conf:1: unknown section 'networks'"},
        {.base = "listen ':' {}\n\"listen=':'|backlog\" = 3",
         .error = "@/a.conf:2: unknown section 'backlog'"},
        {.base = "'section|opens' = now", .error = "@/a.conf:1: unknown section 'section'"},
        {.base = "listen ':' {\n'section|opens' = now }",
         .error = "@/a.conf:2: unknown key 'section' in section listen"},
        {.base = "listen ':' {\n'|section|opens' = now }",
         .error = "@/a.conf:2: unknown key '|section|opens' in section listen"},
    };

    (void)state;
    RUN(rows);
}

static void refuses_unreadable_files(void **state)
{
    static const struct row missing = {.words = {"-c", "@/none.conf"},
                                       .error = "@/none.conf: No such file or directory"};
    static const struct row is_folder = {.words = {"-c", "@"}, .error = "@: Is a directory"};
    static const struct row device = {.words = {"-c", "/dev/zero"},
                                      .error = "/dev/zero: not a regular file"};
    static const struct row nul = {.words = {"-c", "@/nul"},
                                   .error = "@/nul: has NUL bytes: not a text file"};
    static const struct row large = {.words = {"-c", "@/large"},
                                     .error =
                                         "@/large: larger than 1048576 bytes: not a configuration"};
    char *spaces = malloc(1024 * 1024 + 1);

    (void)state;
    assert_non_null(spaces);
    memset(spaces, ' ', 1024 * 1024 + 1);
    put_bytes("nul", "log {\0}", 7);
    put_bytes("large", spaces, 1024 * 1024 + 1);
    run(&missing);
    run(&is_folder);
    run(&device);
    run(&nul);
    run(&large);
    put_bytes("large", spaces, 1024 * 1024);
    run(&(struct row){.words = {"-c", "@/large"}});
    free(spaces);
}

static void includes_files(void **state)
{
    static const struct row rows[] = {
        {.base = "include(\"other.conf\")\ninstance { containers = 2 }",
         .other = "\ninstance { workers = 4 pidfile = z.pid }\nlisten ':' {}\n",
         .error = "@/other.conf:3: listen \":\": *"},
        {.base = "include(\"other.conf\")\n\ninstance { containers = 2 }",
         .other = "\ninstance { workers = 4 pidfile = z.pid }\nlisten '[::1]:1' {}\n",
         .lines = {"instance: workers = \"4\"  # @/other.conf:2",
                   "instance: pidfile = \"@/z.pid\"  # @/other.conf:2",
                   "listen \"[::1]:1\" {  # @/other.conf:3",
                   "instance: containers = \"2\"  # @/a.conf:3"}},
        {.base = "instance { workers = 1 }\ninclude('other.conf')",
         .other = "\ninstance { workers = 4 }",
         .error = "@/other.conf:2: instance.workers stands at @/a.conf:1 already"},
        {.base = "include('other.conf')",
         .other = "log {",
         .error = "@/other.conf:1: the '{' here is never closed"},
        {.base = "include('other.conf')",
         .other = "log { }\n}",
         .error = "@/other.conf:2: this '}' closes nothing"},
        {.base = "include('none.conf')", .error = "@/none.conf: No such file or directory"},
        {.base = "\ninclude('a.conf')",
         .error = "@/a.conf:2: files include each other more than 8 deep"},
        {.base = "log { }\ninclude('other.conf')\nlog { leevl = info }",
         .other = "log { }\n\n\n",
         .error = "@/a.conf:3: unknown key 'leevl' in section log; did you mean 'level'?"},
    };

    (void)state;
    RUN(rows);
}

static void loads_overlays(void **state)
{
    static const struct row rows[] = {
        {.base = "instance { workers = 2 containers = 3 }",
         .overlay = "\ninstance { workers = 4 }",
         .lines = {"instance: workers = \"4\"  # @/over.conf:2",
                   "instance: containers = \"3\"  # @/a.conf:1"}},
        {.base = "chaos { networks = { unix } }",
         .overlay = "chaos { networks = {} }",
         .lines = {"chaos: networks = {}  # @/over.conf:1"}},
        {.base = "", .words = {"-e", "none"}, .error = "@/none.conf: No such file or directory"},
        {.base = "", .env = {"ZOMBIE_ENV=none"}, .error = "@/none.conf: No such file or directory"},
        {.base = "",
         .overlay = "log { level = debug }",
         .env = {"ZOMBIE_ENV=none"},
         .lines = {"log: level = \"debug\"  # @/over.conf:1"}},
        {.base = "", .env = {"ZOMBIE_ENV="}, .lines = {"log: level = \"info\"  # built-in"}},
        {.base = "",
         .words = {"-e", "../x"},
         .error = "-e ../x: a name has only letters, digits, '_' and '-'"},
        {.env = {"ZOMBIE_ENV=production"},
         .error = "ZOMBIE_ENV=production: needs -c FILE, production.conf is looked for beside it"},
        {.words = {"-e", "x"}, .error = "-e x: needs -c FILE, x.conf is looked for beside it"},
    };

    (void)state;
    RUN(rows);
}

static void reads_the_environment(void **state)
{
    static const struct row rows[] = {
        {.base = "instance { workers = 2 } listen ':' { backlog = 5 }",
         .env = {"ZOMBIE_WORKERS=7", "ZOMBIE_CONTAINERS=2", "ZOMBIE_CHAOS=1",
                 "ZOMBIE_LISTEN=[::1]:1, [::1]:2"},
         .lines = {"instance: workers = \"7\"  # ZOMBIE_WORKERS",
                   "instance: containers = \"2\"  # ZOMBIE_CONTAINERS",
                   "chaos: enabled = \"yes\"  # ZOMBIE_CHAOS",
                   "listen \"[::1]:1\" {  # ZOMBIE_LISTEN",
                   "listen \"[::1]:2\" {  # ZOMBIE_LISTEN"}},
        {.base = "instance { workers = 2 }",
         .env = {"ZOMBIE_WORKERS="},
         .lines = {"instance: workers = \"2\"  # @/a.conf:1"}},
        {.env = {"ZOMBIE_WORKERS=x"},
         .error = "ZOMBIE_WORKERS: instance.workers: 'x' is not 'auto' or a whole number from 1 to "
                  "1024"},
        {.env = {"ZOMBIE_CHAOS=x"}, .error = "ZOMBIE_CHAOS: chaos.enabled: 'x' is not yes or no"},
        {.env = {"ZOMBIE_LISTEN= ,"}, .error = "ZOMBIE_LISTEN: there is no address in ' ,'"},
        {.env = {"ZOMBIE_LISTEN=[::1]:1 [::1]:1"},
         .error =
             "ZOMBIE_LISTEN: listen \"[::1]:1\": \"[::1]:1\" at ZOMBIE_LISTEN is the same address"},
        {.env = {"PORT=8080"},
         .lines = {"listen \"127.0.0.1:8080\" {  # PORT",
                   "!listen \"127.0.0.1:3000\" {  # built-in"}},
        {.env = {"PORT=8080", "ZOMBIE_LISTEN=unix:/z,[::1]:1,[::1]:2"},
         .lines = {"listen \"unix:/z\" {  # ZOMBIE_LISTEN", "listen \"[::1]:8080\" {  # PORT",
                   "listen \"[::1]:2\" {  # ZOMBIE_LISTEN"}},
        {.env = {"PORT=2", "ZOMBIE_LISTEN=[::1]:1,[::1]:2"},
         .error = "ZOMBIE_LISTEN: listen \"[::1]:2\": \"[::1]:2\" at PORT is the same address"},
        {.base = "listen '127.0.0.1:3000' { backlog = 9 }",
         .env = {"PORT=0"},
         .lines = {"listen \"127.0.0.1:0\": backlog = \"9\"  # @/a.conf:1"}},
        {.env = {"PORT=65536"}, .error = "PORT: '65536' is not a port from 0 to 65535"},
        {.env = {"PORT=1", "ZOMBIE_LISTEN=unix:/z"},
         .error = "PORT: there is no TCP listener whose port it could be"},
    };

    (void)state;
    RUN(rows);
}

static void reads_the_command_line(void **state)
{
    static const struct row rows[] = {
        {.base = "instance { workers = 2 }",
         .env = {"ZOMBIE_WORKERS=7"},
         .words = {"-w", "9", "--chaos", "--daemon", "-n4", "-p/z"},
         .lines = {"instance: workers = \"9\"  # -w", "chaos: enabled = \"yes\"  # --chaos",
                   "instance: daemon = \"yes\"  # --daemon", "instance: containers = \"4\"  # -n",
                   "instance: pidfile = \"/z\"  # -p"}},
        {.words = {"-w2", "--workers=3"}, .lines = {"instance: workers = \"3\"  # --workers"}},
        {.words = {"-w", "x"},
         .error = "-w: instance.workers: 'x' is not 'auto' or a whole number from 1 to 1024"},
        {.env = {"ZOMBIE_LISTEN=[::1]:1", "PORT=9"},
         .words = {"-l", "[::1]:3", "-l", "[::1]:4"},
         .lines = {"listen \"[::1]:3\" {  # -l", "listen \"[::1]:4\" {  # -l",
                   "!listen \"[::1]:1\" {  # ZOMBIE_LISTEN", "!listen \"[::1]:9\" {  # PORT"}},
        {.words = {"-l", "[::1]:0", "-l", "[::1]:0"}, .lines = {"listen \"[::1]:0\" {  # -l"}},
        {.words = {"-l", "foo"}, .error = "-l: listen \"foo\": *"},
        {.words = {"-o", "log.level=debug", "-o", "chaos.networks=unix, ::1"},
         .lines = {"log: level = \"debug\"  # -o",
                   "chaos: networks = { \"unix\", \"::1\" }  # -o"}},
        {.base = "chaos { networks = { unix } }",
         .words = {"-o", "chaos.networks="},
         .lines = {"chaos: networks = {}  # -o"}},
        {.words = {"-o", "listen.127.0.0.1:3000.backlog=7"},
         .lines = {"listen \"127.0.0.1:3000\": backlog = \"7\"  # -o",
                   "listen \"127.0.0.1:3000\" {  # built-in"}},
        {.words = {"-o", "listen.[::1]:3.backlog=7", "-l", "[::1]:3"},
         .lines = {"listen \"[::1]:3\": backlog = \"7\"  # -o"}},
        {.words = {"-o", "listen.127.0.0.1:9.backlog=7"},
         .error = "-o: there is no listener \"127.0.0.1:9\""},
        {.words = {"-o", "listen.127.0.0.1:3000.mode=600"},
         .error = "-o: listen \"127.0.0.1:3000\": mode is for unix sockets only"},
        {.words = {"-o", "route./a.b.handler=text", "-o", "route./a.b.body=x=y"},
         .lines = {"route \"/a.b\" {  # -o", "route \"/a.b\": handler = \"text\"  # -o",
                   "route \"/a.b\": body = \"x=y\"  # -o"}},
        {.words = {"-o", "route./x.body=y"}, .error = "-o: route \"/x\": handler is missing"},
        {.words = {"-o", "logs.level=debug"}, .error = "-o: unknown section 'logs'"},
        {.words = {"-o", "log.leevl=debug"}, .error = "-o: unknown key 'leevl' in section log"},
        {.words = {"-o", "log.x.level=debug"},
         .error = "-o: section log has no titles: log.level=VALUE"},
        {.words = {"-o", "listen.backlog=1"},
         .error = "-o: section listen needs a title: listen.TITLE.backlog=VALUE"},
        {.words = {"--option", "level=1"},
         .error = "--option: 'level=1' is not SECTION.KEY=VALUE or SECTION.TITLE.KEY=VALUE"},
        {.words = {"-o", "log.level"},
         .error = "-o: 'log.level' is not SECTION.KEY=VALUE or SECTION.TITLE.KEY=VALUE"},
    };

    (void)state;
    RUN(rows);
}

static void merges_titled_sections(void **state)
{
    static const struct row rows[] = {
        {.base = "listen '[::1]:1' { backlog = 5 }\nlisten '[::1]:2' { backlog = 6 }",
         .overlay = "listen '[::1]:2' { }\nlisten '[::1]:3' { }",
         .lines = {"listen \"[::1]:2\": backlog = \"6\"  # @/a.conf:2",
                   "listen \"[::1]:2\" {  # @/over.conf:1", "listen \"[::1]:3\" {  # @/over.conf:2",
                   "!listen \"[::1]:1\" {  # @/a.conf:1"}},
        {.base = "route '/hello' { body = x }",
         .overlay = "route '/hello' { status = 201 }",
         .lines = {"route \"/hello\": handler = \"text\"  # built-in",
                   "route \"/hello\": body = \"x\"  # @/a.conf:1",
                   "route \"/hello\": status = \"201\"  # @/over.conf:1"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = health }",
         .lines = {"route \"/x\": handler = \"health\"  # @/over.conf:1"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = health }",
         .words = {"-o", "route./x.handler=text"},
         .lines = {"route \"/x\": handler = \"text\"  # -o",
                   "route \"/x\": body = \"Hello from a zombie.\\x0a\"  # built-in"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = text status = 201 }",
         .lines = {"route \"/x\": body = \"x\"  # @/a.conf:1",
                   "route \"/x\": handler = \"text\"  # @/over.conf:1"}},
        {.base = "route '/hello' { handler = not_found }",
         .lines = {"route \"/hello\": handler = \"not_found\"  # @/a.conf:1",
                   "!route \"/hello\": status = \"200\"  # built-in"}},
    };

    (void)state;
    RUN(rows);
}

/* From a file relative to its folder, from the command line to the current one. */
static void makes_paths_absolute(void **state)
{
    char here[4096], line[4200];
    struct row row = {.base = "log { target = 'l/og' }", .words = {"-p", "z.pid"}};

    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    (void)snprintf(line, sizeof(line), "instance: pidfile = \"%s/z.pid\"  # -p", here);
    row.lines[0] = line;
    row.lines[1] = "log: target = \"@/l/og\"  # @/a.conf:1";
    run(&row);

    assert_int_equal(chdir(folder), 0);
    run(&(struct row){.words = {"-c", "a.conf"},
                      .lines = {"log: target = \"@/l/og\"  # a.conf:1"}});
    run(&(struct row){.words = {"-c", "./a.conf", "-p", "x"},
                      .lines = {"log: target = \"@/./l/og\"  # ./a.conf:1",
                                "instance: pidfile = \"@/x\"  # -p"}});
    assert_int_equal(chdir(here), 0);
}

/* The lexer is one for the process: what one file left open must not be in the next. */
static void forgets_a_broken_file(void **state)
{
    static const char *const broken[] = {"instance { workers = \"3 }",
                                         "instance { workers = '3 }",
                                         "/* instance {",
                                         "instance { workers = \"\\999\" }",
                                         "instance { workers",
                                         "instance { workers = { 3",
                                         "include(\"other.conf\")",
                                         "wrong",
                                         "include('x' 'y')",
                                         "listen ':' { listen ':' {"};
    static const struct row good = {.base = "\ninstance { workers = \"3\" }",
                                    .lines = {"instance: workers = \"3\"  # @/a.conf:2"}};

    (void)state;
    put("other.conf", "log { level = \"");
    for (size_t i = 0; i < 3 * sizeof(broken) / sizeof(broken[0]); i++) {
        char error[CONF_ERROR_SIZE];
        struct conf *conf = NULL;

        put("broken.conf", broken[i % (sizeof(broken) / sizeof(broken[0]))]);
        assert_int_equal(load_file("broken.conf", &conf, error), -EINVAL);
        assert_null(conf);
        run(&good);
    }
}

/* Cut the comments, whose origins differ, in place. */
static void strip_origins(char *flat)
{
    char *to = flat;

    while (*flat != '\0') {
        if (strncmp(flat, "  # ", 4) == 0)
            flat += strcspn(flat, "\n");
        *to++ = *flat++;
    }
    *to = '\0';
}

static void loads_its_own_dump(void **state)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    char *first, *second, *again;

    (void)state;
    put("a.conf",
        "instance { workers = 3 daemon = yes pidfile = \"a \\\"b\\\" \\${x} \\\\\" }\n"
        "listen 'unix:/z #1' { mode = 7 } listen '[::]:1' { backlog = 2 }\n"
        "chaos { networks = { unix, 10.0.0.0/8 } } log { level = error target = stdout }\n"
        "route '/\"\\\\x' { handler = text body = '${HOME} $ {x}\n\t' status = 500 }\n"
        "route '/hello' { body = \"\\1\\e\\377\" }\n");
    if (load_file("a.conf", &conf, error) < 0)
        fail_msg("%s", error);
    again = dump(conf);
    first = flat_dump(conf);
    conf_free(conf);

    put("again.conf", again);
    if (load_file("again.conf", &conf, error) < 0)
        fail_msg("%s", error);
    second = flat_dump(conf);
    conf_free(conf);

    strip_origins(first);
    strip_origins(second);
    free(again);
    assert_non_null(strstr(first, "body = \"\\${HOME} $ {x}\\x0a\\x09\""));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

/* Automake's `make check` says where the source tree is; without it nothing is tested here. */
static void accepts_the_sample_files(void **state)
{
    static const char *const environments[] = {NULL, "production", "development"};
    const char *source = getenv("srcdir");

    (void)state;
    if (source == NULL)
        skip();
    for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
        char path[4096], error[CONF_ERROR_SIZE];
        char *words[] = {(char *)"-c", path, environments[i] != NULL ? (char *)"-e" : NULL,
                         (char *)environments[i], NULL};
        struct conf *conf = NULL;

        (void)snprintf(path, sizeof(path), "%s/conf/zombie-server.conf", source);
        if (load(words, &conf, error) < 0)
            fail_msg("%s", error);
        conf_free(conf);
    }
}

/* zombie-server.conf says the defaults: loading it changes no value. */
static void sample_file_says_the_defaults(void **state)
{
    const char *source = getenv("srcdir");
    char path[4096], error[CONF_ERROR_SIZE];
    char *with_file[] = {(char *)"-c", path, NULL}, *without[] = {NULL};
    struct conf *conf = NULL;
    char *first, *second;

    (void)state;
    if (source == NULL)
        skip();
    (void)snprintf(path, sizeof(path), "%s/conf/zombie-server.conf", source);
    assert_int_equal(load(with_file, &conf, error), 0);
    first = flat_dump(conf);
    conf_free(conf);
    assert_int_equal(load(without, &conf, error), 0);
    second = flat_dump(conf);
    conf_free(conf);
    strip_origins(first);
    strip_origins(second);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void reports_a_full_disk(void **state)
{
    char *none[] = {NULL};
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    assert_int_equal(load(none, &conf, error), 0);
    assert_int_equal(conf_dump(conf, full), -EIO);
    (void)fclose(full);
    conf_free(conf);
}

static void lists_every_option(void **state)
{
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);

    (void)state;
    assert_non_null(out);
    conf_options_list(out, handlers);
    (void)fclose(out);
    assert_true(has_line(list, "instance.workers"));
    assert_true(has_line(list, "listen.mode"));
    assert_true(has_line(list, "route.handler"));
    assert_true(has_line(list, "route.body"));
    free(list);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_built_in_values, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reads_values, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_bad_values, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_bad_sections, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_bad_syntax, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_bad_escapes, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_paths_as_keys, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_unreadable_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(includes_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(loads_overlays, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reads_the_environment, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reads_the_command_line, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(merges_titled_sections, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(makes_paths_absolute, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(forgets_a_broken_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(loads_its_own_dump, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(accepts_the_sample_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(sample_file_says_the_defaults, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reports_a_full_disk, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(lists_every_option, make_folder, remove_folder),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
