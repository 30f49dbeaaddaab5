#include "config.h"

#include "host/memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"

/* Seven numbers. */
#define STATM_SIZE 192

/* Pages, the second word. */
static int64_t resident_pages(char *statm)
{
    char *save = NULL;
    const char *size = strtok_r(statm, " \n", &save);
    const char *resident = size != NULL ? strtok_r(NULL, " \n", &save) : NULL;
    long pages;
    if (resident == NULL || number_parse(resident, 0, LONG_MAX, &pages) < 0)
        return -1;
    return pages;
}

int64_t memory_resident_bytes(pid_t pid)
{
    char path[32];
    char statm[STATM_SIZE];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, statm, sizeof statm - 1);
    close(fd);
    statm[n > 0 ? n : 0] = '\0';
    int64_t pages = resident_pages(statm);
    return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}
