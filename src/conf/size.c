#include "config.h"

#include "conf/size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* The largest first, so that the first that divides a size is the one to write it in. */
static const struct {
    char letter;
    long bytes;
} units[] = {{'G', 1L << 30}, {'M', 1L << 20}, {'K', 1L << 10}};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

/* What a number before this letter stands for; 0: there is no such unit. */
static long unit_bytes(char letter)
{
    for (size_t i = 0; i < N_UNITS; i++)
        if (letter == units[i].letter || letter == (units[i].letter | 0x20))
            return units[i].bytes;
    return 0;
}

int conf_size_parse(const char *text, long min, long max, long *ret_bytes)
{
    size_t len = strspn(text, "0123456789");
    long unit = text[len] == '\0' ? 1 : unit_bytes(text[len]);
    char digits[32];
    long count;
    int rc;

    if (len == 0 || unit == 0 || (unit > 1 && text[len + 1] != '\0'))
        return -EINVAL;
    for (; len > 1 && text[0] == '0'; len--)
        text++;
    if (len >= sizeof(digits))
        return -ERANGE;
    memcpy(digits, text, len);
    digits[len] = '\0';

    rc = number_parse(digits, 0, max / unit, &count);
    if (rc == 0 && count * unit < min)
        rc = -ERANGE;
    if (rc == 0)
        *ret_bytes = count * unit;
    return rc;
}

void conf_size_format(long bytes, char buf[CONF_SIZE_TEXT_SIZE])
{
    for (size_t i = 0; bytes > 0 && i < N_UNITS; i++) {
        if (bytes % units[i].bytes == 0) {
            (void)snprintf(buf, CONF_SIZE_TEXT_SIZE, "%ld%c", bytes / units[i].bytes,
                           units[i].letter);
            return;
        }
    }
    (void)snprintf(buf, CONF_SIZE_TEXT_SIZE, "%ld", bytes);
}
