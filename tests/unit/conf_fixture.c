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
#include <unistd.h>

#include <cmocka.h>

#include "conf_fixture.h"
#include "worker/handlers.h"

const char *fixture_setting(const struct conf_route *route, const char *key)
{
    const struct conf_option *option = route->handler->options;

    while (strcmp(option->key, key) != 0)
        option++;
    return *(char **)((char *)route->settings + option->offset);
}

static const char *const variables[] = {
    "ZOMBIE_LISTEN",  "ZOMBIE_WORKERS",   "ZOMBIE_CONTAINERS",  "ZOMBIE_CHAOS",
    "ZOMBIE_CONTROL", "ZOMBIE_ADMIN",     "ZOMBIE_ADMIN_TOKEN", "PORT",
    "ZOMBIE_ENV",     "ZOMBIE_TEST",      "REGISTRY_TYPE",      "REGISTRY_URL",
    "REGISTRY_USER",  "REGISTRY_PASSWORD"};

/* Of the keys in a dump. */
#define KEY_CHARS "abcdefghijklmnopqrstuvwxyz_0123456789"

static char folder[64];

const char *fixture_folder(void)
{
    return folder;
}

void fixture_clear_environment(void)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        (void)unsetenv(variables[i]);
}

int fixture_setup(void **state)
{
    (void)state;
    fixture_clear_environment();
    (void)strcpy(folder, "/tmp/zombie-conf-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

int fixture_teardown(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    (void)state;
    fixture_clear_environment();
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    return rmdir(folder);
}

void fixture_put_bytes(const char *name, const void *bytes, size_t size)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void fixture_put(const char *name, const char *content)
{
    fixture_put_bytes(name, content, strlen(content));
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

int fixture_load(char *const *words, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char *argv[2 * FIXTURE_MAX_WORDS] = {(char *)"zombie-server"};
    struct conf_args args;
    int argc = 1;
    int rc;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = words[argc - 1];
    assert_int_equal(conf_args_parse(argc, argv, &args, error, CONF_ERROR_SIZE), 0);
    rc = conf_load(&args, handlers_conf, ret_conf, error);
    conf_args_clear(&args);
    return rc;
}

int fixture_load_file(const char *name, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char path[128];
    char *words[] = {(char *)"-c", path, NULL};

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fixture_load(words, ret_conf, error);
}

char *fixture_dump(const struct conf *conf)
{
    char *dumped = NULL;
    size_t size;
    FILE *out = open_memstream(&dumped, &size);

    assert_non_null(out);
    assert_int_equal(conf_dump(conf, out), 0);
    (void)fclose(out);
    return dumped;
}

char *fixture_flat_dump(const struct conf *conf)
{
    char *dumped = fixture_dump(conf), *flat = NULL, *rest = NULL;
    char section[256] = "";
    size_t size, outer = 0;
    FILE *out = open_memstream(&flat, &size);

    assert_non_null(out);
    for (char *line = strtok_r(dumped, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t indent = strspn(line, " ");
        char *text = line + indent;

        if (text[0] == '#' || text[0] == '}')
            continue;
        if (strncmp(text + strspn(text, KEY_CHARS), " = ", 3) == 0) {
            (void)fprintf(out, "%s: %s\n", section, text);
            continue;
        }
        if (indent == 0)
            outer = 0;
        section[outer] = '\0';
        (void)fprintf(out, "%s%s%s\n", section, outer > 0 ? ": " : "", text);
        (void)snprintf(section + outer, sizeof(section) - outer, "%s%.*s", outer > 0 ? ": " : "",
                       (int)(strstr(text, " {") - text), text);
        if (indent == 0)
            outer = strlen(section);
    }
    (void)fclose(out);
    free(dumped);
    return flat;
}

bool fixture_has_line(const char *flat, const char *line)
{
    size_t len = strlen(line);

    for (const char *at = flat; (at = strstr(at, line)) != NULL; at++)
        if ((at == flat || at[-1] == '\n') && at[len] == '\n')
            return true;
    return false;
}

/* A line that starts with '!' must not be there. */
static void check_lines(const struct conf_row *row, const struct conf *conf)
{
    char *flat = fixture_flat_dump(conf);

    for (size_t i = 0; i < 8 && row->lines[i] != NULL; i++) {
        bool unwanted = row->lines[i][0] == '!';
        char *line = expand(row->lines[i] + unwanted);

        if (fixture_has_line(flat, line) == unwanted)
            fail_msg("%s line \"%s\" in:\n%s", unwanted ? "unwanted" : "missing", line, flat);
        free(line);
    }
    free(flat);
}

static void put_files(const struct conf_row *row)
{
    if (row->base != NULL)
        fixture_put("a.conf", row->base);
    if (row->overlay != NULL)
        fixture_put("over.conf", row->overlay);
    if (row->other != NULL)
        fixture_put("other.conf", row->other);
}

static void set_environment(const struct conf_row *row)
{
    fixture_clear_environment();
    for (size_t i = 0; i < 4 && row->env[i] != NULL; i++) {
        char *name = strdup(row->env[i]);
        char *equals = strchr(name, '=');

        *equals = '\0';
        assert_int_equal(setenv(name, equals + 1, 1), 0);
        free(name);
    }
}

static int load_row(const struct conf_row *row, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char *words[2 * FIXTURE_MAX_WORDS] = {NULL};
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
    for (size_t i = 0; i < FIXTURE_MAX_WORDS && row->words[i] != NULL; i++)
        words[n++] = expand(row->words[i]);
    rc = fixture_load(words, ret_conf, error);
    while (n > 0)
        free(words[--n]);
    return rc;
}

void fixture_run(const struct conf_row *row)
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
