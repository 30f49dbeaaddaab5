#include "config.h"

#include "conf/version.h"

#include <confuse.h>
#include <event2/event.h>
#include <jansson.h>
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif
#ifdef HAVE_OPENSSL
#include <openssl/crypto.h>
#endif
#ifdef HAVE_ZOOKEEPER
#include <zookeeper/zookeeper_version.h>
#endif

void version_print(FILE *out, const char *program)
{
    fprintf(out, "%s %s\nlibevent %s\nlibconfuse %s\njansson %s\n", program, PACKAGE_VERSION,
            event_get_version(), confuse_version, jansson_version_str());
#ifdef HAVE_OPENSSL
    fprintf(out, "%s\n", OpenSSL_version(OPENSSL_VERSION));
#endif
#ifdef HAVE_MIMALLOC
    fprintf(out, "mimalloc %d\n", mi_version());
#endif
#ifdef HAVE_ZOOKEEPER
    fprintf(out, "zookeeper %s\n", ZOO_VERSION);
#endif
}
