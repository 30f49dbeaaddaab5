#include "config.h"

#include "discovery/basic_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/base64.h"

static void forget(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

char *basic_auth_value(const char *user, const char *password)
{
    char *pair = NULL, *value = NULL;
    if (asprintf(&pair, "%s:%s", user, password) < 0)
        return NULL;
    char *encoded = base64_encode(pair, strlen(pair));
    if (encoded != NULL && asprintf(&value, "Basic %s", encoded) < 0)
        value = NULL;
    forget(encoded);
    forget(pair);
    return value;
}
