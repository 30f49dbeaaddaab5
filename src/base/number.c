/*
 * Strict reading of numbers from text.
 */
#include "config.h"

#include "base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int number_parse(const char *text, long min, long max, long *ret_value)
{
    long value;

    /* strtol(3) would also take spaces and a sign, and stop at the first other byte. */
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return -EINVAL;
    errno = 0;
    value = strtol(text, NULL, 10);
    if (errno == ERANGE || value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}
