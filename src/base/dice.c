#include "config.h"

#include "base/dice.h"

#include <stdint.h>
#include <sys/random.h>

double dice_throw(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        return 0.5;
    return number / (UINT32_MAX + 1.0);
}
