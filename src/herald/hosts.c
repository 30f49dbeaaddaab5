#include "config.h"

#include "herald/hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/address.h"

/* A word of a line. */
struct word {
    const char *at;
    size_t len;
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word before `end`; its len is 0 when there is none. */
static struct word next_word(const char **at, const char *end)
{
    struct word word;
    while (*at < end && is_space(**at))
        (*at)++;
    word.at = *at;
    while (*at < end && !is_space(**at))
        (*at)++;
    word.len = (size_t)(*at - word.at);
    return word;
}

/* Zones ("fe80::1%lo0") are left out, as anywhere else (address.h). */
static bool read_address(struct word word, unsigned port, struct address *ret_address)
{
    struct address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;
    char text[INET6_ADDRSTRLEN];
    if (word.len >= sizeof text)
        return false;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        address.len = sizeof *v6;
    } else {
        return false;
    }
    address_set_port(&address, port);
    *ret_address = address;
    return true;
}

static bool has_name(const char *at, const char *end, const char *name)
{
    size_t len = strlen(name);
    for (;;) {
        struct word word = next_word(&at, end);
        if (word.len == 0)
            return false;
        if (word.len == len && strncasecmp(word.at, name, len) == 0)
            return true;
    }
}

size_t hosts_find(const char *text, size_t len, const char *name, unsigned port,
                  struct address *ret_addresses, size_t max)
{
    const char *end = text + len;
    size_t n = 0;
    for (const char *line = text; line < end && n < max;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = next != NULL ? next : end;
        const char *comment = memchr(line, '#', (size_t)(line_end - line));
        if (comment != NULL)
            line_end = comment;
        struct word first = next_word(&line, line_end);
        if (has_name(line, line_end, name) && read_address(first, port, &ret_addresses[n]))
            n++;
        line = next != NULL ? next + 1 : end;
    }
    return n;
}

char *hosts_read(const char *path, size_t max, size_t *ret_len)
{
    char *text = NULL;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        text = malloc(max);
    for (ssize_t n = 1; text != NULL && n > 0 && len<max; len += n> 0 ? (size_t)n : 0)
        n = read(fd, text + len, max - len);
    if (fd >= 0)
        close(fd);
    *ret_len = len;
    return text;
}
