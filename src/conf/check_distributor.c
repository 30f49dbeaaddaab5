#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "conf/check_registry.h"
#include "conf/fail.h"
#include "conf/schema.h"

static const char *place_of(const struct conf_source *source, const char *key)
{
    return conf_check_place(
        source, (struct conf_name){.section = conf_section_find("distributor"), .key = key});
}

static int check_listen(const struct conf_source *source,
                        const struct conf_distributor *distributor)
{
    struct address address;
    const char *why = "nodes come by TCP, so an address and a port are needed";

    if (address_parse(distributor->listen, &address, &why) == 0 && address_port(&address) >= 0)
        return 0;
    return conf_fail(source->error, place_of(source, "listen"), "distributor.listen: %.200s: %s",
                     distributor->listen, why);
}

int conf_check_distributor(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_distributor *distributor = &conf->distributor;
    char text[sizeof "unix:" + CONF_ERROR_SIZE];
    struct address address;
    const char *why;

    if (check_listen(source, distributor) < 0)
        return -EINVAL;
    (void)snprintf(text, sizeof text, "unix:%.400s", distributor->control);
    if (distributor->control[0] != '/' || address_parse(text, &address, &why) == 0)
        return 0; /* auto and off */
    return conf_fail(source->error, place_of(source, "control"), "distributor.control: %.200s: %s",
                     distributor->control, why);
}
