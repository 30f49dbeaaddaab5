/*
 * Accept and Accept-Language from anybody: the answer is one of the offers,
 * and saying all of it twice changes nothing.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/negotiate.h"

#define N_OFFERS 3

typedef size_t negotiate(const char *header, const char *const *offers, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void ask(negotiate *choose, const char *once, const char *twice, const char *const *offers)
{
    size_t chosen = choose(once, offers, N_OFFERS);

    check(chosen < N_OFFERS);
    check(choose(twice, offers, N_OFFERS) == chosen);
    check(choose(once, offers, 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[N_OFFERS] = {"text/html", "application/json", "text/plain"};
    static const char *const languages[N_OFFERS] = {"en", "ko", "de"};
    char *once = malloc(size + 1);
    char *twice = malloc(2 * size + 2);

    check(once != NULL && twice != NULL);
    if (size > 0)
        memcpy(once, data, size);
    once[size] = '\0';
    strcpy(twice, once);
    strcat(twice, ",");
    strcat(twice, once);
    ask(negotiate_type, once, twice, types);
    ask(negotiate_language, once, twice, languages);
    free(once);
    free(twice);
    return 0;
}
