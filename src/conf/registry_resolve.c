#include "config.h"

#include "conf/registry_resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/fail.h"
#include "conf/read.h"
#include "conf/registry_url.h"
#include "conf/schema.h"

#define PASSWORD_BYTES_MAX 4096

static struct conf_name name_of(const char *key)
{
    return (struct conf_name){.section = conf_section_find("registry"), .key = key};
}

static int add_url(const struct conf_source *source, struct conf_registry *registry,
                   const char *text)
{
    char masked[REGISTRY_URL_MASKED_SIZE];
    const char *why;
    int rc = registry_url_parse(text, (enum conf_registry_type)registry->type,
                                &registry->urls[registry->n_urls], &why);

    if (rc == 0)
        registry->n_urls++;
    if (rc != -EINVAL)
        return rc;
    registry_url_mask(text, masked);
    return conf_fail(source->error, conf_check_place(source, name_of("url")),
                     "registry.url: '%.200s': %s", masked, why);
}

/* Files have their URLs one by one, elsewhere commas part them. */
static int check_commas(const struct conf_source *source, const struct conf_registry *registry)
{
    const struct conf_assignment *url = conf_assignments_winner(source->list, name_of("url"));

    if (url == NULL || url->origin.layer < CONF_LAYER_ENVIRONMENT)
        return 0;
    for (size_t i = 1; i < registry->url.n; i++)
        if (registry_url_is_torn(registry->url.items[i - 1], registry->url.items[i]))
            return conf_fail(source->error, conf_check_place(source, name_of("url")),
                             "registry.url: a comma in a password is written %%2C, and a URL with "
                             "a user name behind one without begins with its scheme");
    return 0;
}

static int resolve_urls(const struct conf_source *source, struct conf_registry *registry)
{
    size_t n = registry->type != CONF_REGISTRY_NONE ? registry->url.n : 0;
    int rc;

    if (n > CONF_REGISTRY_URLS_MAX)
        return conf_fail(source->error, conf_check_place(source, name_of("url")),
                         "registry.url: there are more than %d URLs", CONF_REGISTRY_URLS_MAX);
    rc = n > 0 ? check_commas(source, registry) : 0;
    if (n == 0 || rc < 0)
        return rc;
    registry->urls = calloc(n, sizeof(*registry->urls));
    if (registry->urls == NULL)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_url(source, registry, registry->url.items[i]);
    return rc;
}

/* Whether the password is said by a higher layer than its file. */
static bool password_wins(const struct conf_source *source, const struct conf_registry *registry)
{
    const struct conf_assignment *password =
        conf_assignments_winner(source->list, name_of("password"));
    const struct conf_assignment *file =
        conf_assignments_winner(source->list, name_of("password_file"));

    return registry->password[0] != '\0' && password != NULL && file != NULL &&
           password->origin.layer > file->origin.layer;
}

/* Cut the line end that editors leave. */
static void trim_line_end(char *text)
{
    size_t len = strlen(text);

    if (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len > 0 && text[len - 1] == '\r')
        text[--len] = '\0';
}

static bool is_exposed(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

static int read_password(const struct conf_source *source, struct conf_registry *registry)
{
    const char *place = conf_check_place(source, name_of("password_file"));
    char error[CONF_ERROR_SIZE] = "";
    char *text = NULL;
    int rc = conf_read(registry->password_file, PASSWORD_BYTES_MAX, "a password", &text, error);

    if (rc == -EINVAL)
        return conf_fail(source->error, place, "registry.password_file: %s", error);
    if (rc < 0)
        return rc;
    trim_line_end(text);
    if (text[0] == '\0') {
        free(text);
        return conf_fail(source->error, place, "registry.password_file: %.400s is empty",
                         registry->password_file);
    }
    free(registry->password);
    registry->password = text;
    registry->is_exposed = is_exposed(registry->password_file);
    return 0;
}

int conf_registry_resolve(const struct conf_source *source, bool is_saved,
                          struct conf_registry *registry)
{
    int rc = resolve_urls(source, registry);

    if (rc < 0 || is_saved || registry->password_file[0] == '\0' || password_wins(source, registry))
        return rc;
    return read_password(source, registry);
}

void conf_registry_clear(struct conf_registry *registry)
{
    for (size_t i = 0; i < registry->n_urls; i++)
        registry_url_clear(&registry->urls[i]);
    free(registry->urls);
    registry->urls = NULL;
    registry->n_urls = 0;
}
