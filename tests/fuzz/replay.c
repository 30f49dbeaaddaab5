/*
 * Feed a fuzz target every input of its corpus, without libFuzzer: what
 * fuzzing has found once stays tested by every compiler in `make check`.
 * Speaks TAP. Usage: replay_NAME [FOLDER]...; without a folder it takes
 * tests/fuzz/corpus/NAME of the source tree ($ZOMBIE_SRCDIR).
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Same allocation size as the input, so that a sanitizer sees each byte read past its end. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    int ok = 0;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0)
        goto out;
    rewind(file);
    data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size)
        goto out;
    LLVMFuzzerTestOneInput(data, (size_t)size);
    ok = 1;
out:
    free(data);
    if (file != NULL)
        fclose(file);
    return ok;
}

/* Replay a folder's files; returns how many there were. */
static int replay_folder(const char *folder, int n_before, int *failed)
{
    struct dirent **entries = NULL;
    int n = 0;
    int n_entries = scandir(folder, &entries, NULL, alphasort);

    if (n_entries < 0) {
        printf("Bail out! %s: %s\n", folder, strerror(errno));
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < n_entries; i++) {
        char path[PATH_MAX];

        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            n++;
            /* Say it first: a crash must leave the name of its input in the log. */
            printf("# %s\n", path);
            fflush(stdout);
            int ok = replay_file(path);
            printf("%s %d - %s\n", ok ? "ok" : "not ok", n_before + n, entries[i]->d_name);
            *failed += !ok;
        }
        free(entries[i]);
    }
    free(entries);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++)
        n += replay_folder(argv[i], n, &failed);
    if (argc < 2) {
        const char *source = getenv("ZOMBIE_SRCDIR");
        const char *name = strstr(argv[0], "replay_");
        char folder[PATH_MAX];

        snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", source != NULL ? source : ".",
                 name != NULL ? name + strlen("replay_") : "");
        n = replay_folder(folder, 0, &failed);
    }
    if (n == 0) {
        printf("Bail out! the corpus is empty\n");
        return EXIT_FAILURE;
    }
    printf("1..%d\n", n);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
