#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/load.h"
#include "conf/registry_resolve.h"
#include "conf/resolve.h"
#include "conf/source.h"

#define ENVIRONMENT_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* Set *ret_name to the environment that is asked for or NULL; `where` says by what, for messages.
 */
static void find_environment(const struct conf_args *args, const char **ret_name,
                             char where[CONF_ERROR_SIZE])
{
    const char *variable = getenv("ZOMBIE_ENV");

    *ret_name = args->environment;
    if (args->environment != NULL) {
        (void)snprintf(where, CONF_ERROR_SIZE, "-e %.100s", args->environment);
    } else if (variable != NULL && variable[0] != '\0') {
        *ret_name = variable;
        (void)snprintf(where, CONF_ERROR_SIZE, "ZOMBIE_ENV=%.100s", variable);
    }
}

/* The path of NAME.conf beside the base file, allocated, or NULL without memory. */
static char *overlay_path(const char *base, const char *name)
{
    const char *slash = strrchr(base, '/');
    size_t len = slash != NULL ? (size_t)(slash + 1 - base) : 0;
    char *path = NULL;

    return asprintf(&path, "%.*s%s.conf", (int)len, base, name) < 0 ? NULL : path;
}

static int load_overlay(const struct conf_source *source, const struct conf_args *args)
{
    char where[CONF_ERROR_SIZE];
    const char *name;
    char *path;
    int rc;

    find_environment(args, &name, where);
    if (name == NULL)
        return 0;
    if (name[0] == '\0' || name[strspn(name, ENVIRONMENT_CHARS)] != '\0')
        return conf_fail(source->error, where, "a name has only letters, digits, '_' and '-'");
    if (args->file == NULL)
        return conf_fail(source->error, where, "needs -c FILE, %.100s.conf is looked for beside it",
                         name);
    path = overlay_path(args->file, name);
    if (path == NULL)
        return -ENOMEM;
    rc = conf_source_file(source, path, CONF_LAYER_OVERLAY);
    free(path);
    return rc;
}

/* Lowest layer first: the list of assignments is in that order. */
static int load_sources(const struct conf_source *source, const struct conf_args *args)
{
    int rc = conf_source_builtin(source);

    if (rc == 0 && args->file != NULL)
        rc = conf_source_file(source, args->file, CONF_LAYER_FILE);
    if (args->file_only)
        return rc;
    if (rc == 0)
        rc = load_overlay(source, args);
    if (rc == 0)
        rc = conf_source_environment(source);
    if (rc == 0)
        rc = conf_source_args(source, args);
    return rc;
}

int conf_load(const struct conf_args *args, const struct conf_handler *const *handlers,
              struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    struct conf *conf = calloc(1, sizeof(*conf));
    struct conf_source source = {calloc(1, sizeof(*source.list)), handlers, error};
    int rc = -ENOMEM;

    error[0] = '\0';
    if (conf == NULL || source.list == NULL)
        goto out;
    rc = load_sources(&source, args);
    if (rc == 0)
        rc = conf_resolve(&source, conf);
    if (rc == 0)
        rc = conf_registry_resolve(&source, args->file_only, &conf->registry);
    if (rc == 0)
        rc = conf_check(&source, conf);
    if (rc < 0)
        goto out;
    conf->assignments = source.list;
    *ret_conf = conf;
    return 0;
out:
    if (rc == -ENOMEM)
        (void)conf_fail(error, NULL, "no memory for the configuration");
    conf_assignments_free(source.list);
    conf_free(conf);
    return rc;
}
