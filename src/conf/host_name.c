#include "config.h"

#include "conf/host_name.h"

#include <stddef.h>
#include <string.h>

bool conf_is_host_name(const char *text)
{
    static const char alphanumeric[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(text);
    bool is_bracketed = text[0] == '[' && text[len - 1] == ']';

    if (is_bracketed)
        return len > 2 && strspn(text + 1, "0123456789abcdefABCDEF:.") == len - 2;
    for (size_t i = 0; i < len; i++)
        if (strchr(alphanumeric, text[i]) == NULL && strchr("-._~", text[i]) == NULL)
            return false;
    return len > 0 && text[0] != '.' && text[len - 1] != '.';
}
