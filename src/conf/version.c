#include "config.h"

#include "conf/version.h"

#include <confuse.h>
#include <event2/event.h>
#include <jansson.h>
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif

void version_print(FILE *out)
{
    fprintf(out, "zombie-server %s\nlibevent %s\nlibconfuse %s\njansson %s\n", PACKAGE_VERSION,
            event_get_version(), confuse_version, jansson_version_str());
#ifdef HAVE_MIMALLOC
    fprintf(out, "mimalloc %d\n", mi_version());
#endif
}
