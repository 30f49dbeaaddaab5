#include "config.h"

#include "host/process_usage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fifty numbers and a name; some twenty lines. */
#define TEXT_SIZE 4096

/* Fields, counted from the one behind the name, which is the third (proc_pid_stat(5)). */
enum { FIELD_UTIME = 11, FIELD_STIME = 12, FIELD_RSS = 21, FIELDS };

/* A whole number of at most 18 digits, after blanks; -1: there is none. *text goes behind it. */
static int64_t read_number(const char **text)
{
    int64_t value = 0;
    int n = 0;
    *text += strspn(*text, " \t");
    for (; isdigit((unsigned char)**text) && n < 18; n++)
        value = value * 10 + *(*text)++ - '0';
    return n > 0 && !isdigit((unsigned char)**text) ? value : -1;
}

/* The first FIELDS words; those that are no numbers become -1. False when there are fewer. */
static bool read_fields(const char *text, int64_t fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = read_number(&text);
        size_t rest = strcspn(text, " \n");
        if (rest > 0)
            fields[i] = -1;
        else if (fields[i] < 0)
            return false;
        text += rest;
    }
    return true;
}

int process_usage_parse_stat(const char *stat, long ticks_per_s, long page_bytes,
                             struct process_usage *ret_usage)
{
    int64_t fields[FIELDS], ticks, ms, bytes;
    const char *name_end = strrchr(stat, ')');
    if (name_end == NULL || !read_fields(name_end + 1, fields) || fields[FIELD_UTIME] < 0 ||
        fields[FIELD_STIME] < 0 || fields[FIELD_RSS] < 0)
        return -EINVAL;
    if (__builtin_add_overflow(fields[FIELD_UTIME], fields[FIELD_STIME], &ticks) ||
        __builtin_mul_overflow(ticks, 1000, &ms) ||
        __builtin_mul_overflow(fields[FIELD_RSS], page_bytes, &bytes))
        return -EINVAL;
    ret_usage->cpu_ms = ms / ticks_per_s;
    ret_usage->rss_bytes = bytes;
    return 0;
}

/* "    123 kB" */
static int64_t read_kib(const char *text)
{
    int64_t kib = read_number(&text);
    int64_t bytes;
    if (kib < 0 || strncmp(text, " kB\n", 4) != 0 || __builtin_mul_overflow(kib, 1024, &bytes))
        return -1;
    return bytes;
}

int64_t process_usage_parse_pss(const char *smaps)
{
    static const char key[] = "Pss:";
    for (const char *line = smaps; line != NULL && *line != '\0'; line++) {
        if (strncmp(line, key, sizeof key - 1) == 0)
            return read_kib(line + sizeof key - 1);
        line = strchr(line, '\n');
        if (line == NULL)
            break;
    }
    return -1;
}

/* Returns 0, or -errno; the text ends in NUL. */
static int read_file(pid_t pid, const char *name, char text[TEXT_SIZE])
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, TEXT_SIZE - 1);
    int err = n < 0 ? -errno : 0;
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return err;
}

int process_usage_read(pid_t pid, struct process_usage *ret_usage)
{
    char text[TEXT_SIZE];
    struct process_usage usage;
    int err = read_file(pid, "stat", text);
    if (err == 0)
        err = process_usage_parse_stat(text, sysconf(_SC_CLK_TCK), sysconf(_SC_PAGESIZE), &usage);
    if (err != 0)
        return err == -ENOENT ? -ESRCH : err;
    usage.pss_bytes =
        read_file(pid, "smaps_rollup", text) == 0 ? process_usage_parse_pss(text) : -1;
    *ret_usage = usage;
    return 0;
}
