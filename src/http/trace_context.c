#include "config.h"

#include "http/trace_context.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Where the parts of a traceparent begin, and how long version 00 is (section 3.2.2). */
enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53, PARENT_LENGTH = 55 };

#define STATE_LENGTH_MAX  512
#define STATE_MEMBERS_MAX 32

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static char *write_hex(char *at, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Whether what follows the flags is as the version allows. */
static bool ends_well(uint8_t version, const char *rest)
{
    return version != 0xff && (*rest == '\0' || (version > 0 && *rest == '-'));
}

int trace_context_parse(const char *traceparent, struct trace_context *ret_context)
{
    struct trace_context context;
    uint8_t version;
    if (strnlen(traceparent, PARENT_LENGTH) < PARENT_LENGTH)
        return -EINVAL;
    if (traceparent[TRACE_ID_AT - 1] != '-' || traceparent[SPAN_ID_AT - 1] != '-' ||
        traceparent[FLAGS_AT - 1] != '-')
        return -EINVAL;
    if (!read_hex(traceparent, &version, 1) ||
        !read_hex(traceparent + TRACE_ID_AT, context.trace_id, sizeof context.trace_id) ||
        !read_hex(traceparent + SPAN_ID_AT, context.span_id, sizeof context.span_id) ||
        !read_hex(traceparent + FLAGS_AT, &context.flags, 1))
        return -EINVAL;
    if (!ends_well(version, traceparent + PARENT_LENGTH) ||
        is_zero(context.trace_id, sizeof context.trace_id) ||
        is_zero(context.span_id, sizeof context.span_id))
        return -EINVAL;
    context.flags &= TRACE_SAMPLED;
    *ret_context = context;
    return 0;
}

/* splitmix64: spreads the bits of a poor seed. */
static uint64_t spread(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void seed_from_what_differs(struct trace_random *random)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    seed ^= (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)random;
    for (size_t i = 0; i < 4; i++)
        random->state[i] = spread(&seed);
}

int trace_random_seed(struct trace_random *random)
{
    ssize_t n = getrandom(random->state, sizeof random->state, GRND_NONBLOCK);
    if (n == (ssize_t)sizeof random->state &&
        !is_zero((const uint8_t *)random->state, sizeof random->state))
        return 0;
    int error = n < 0 ? errno : EIO;
    seed_from_what_differs(random);
    return -error;
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* xoshiro256**, by Blackman and Vigna (https://prng.di.unimi.it/). */
static uint64_t next_number(struct trace_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Eight bytes that are not all zero. */
static void make_id(struct trace_random *random, uint8_t id[8])
{
    uint64_t number;
    do
        number = next_number(random);
    while (number == 0);
    memcpy(id, &number, sizeof number);
}

void trace_context_child(const struct trace_context *parent, struct trace_random *random,
                         struct trace_context *ret_context)
{
    *ret_context = *parent;
    make_id(random, ret_context->span_id);
}

void trace_context_new(struct trace_random *random, struct trace_context *ret_context)
{
    make_id(random, ret_context->trace_id);
    make_id(random, ret_context->trace_id + 8);
    make_id(random, ret_context->span_id);
    ret_context->flags = TRACE_SAMPLED;
}

void trace_context_format(const struct trace_context *context, char buf[TRACE_PARENT_SIZE])
{
    memcpy(buf, "00-", TRACE_ID_AT);
    char *at = write_hex(buf + TRACE_ID_AT, context->trace_id, sizeof context->trace_id);
    *at++ = '-';
    at = write_hex(at, context->span_id, sizeof context->span_id);
    *at++ = '-';
    at = write_hex(at, &context->flags, 1);
    *at = '\0';
}

bool trace_state_is_sane(const char *tracestate)
{
    size_t len = strnlen(tracestate, STATE_LENGTH_MAX + 1);
    size_t members = 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)tracestate[i];
        if (byte != '\t' && (byte < 0x20 || byte > 0x7e))
            return false;
        members += byte == ',';
    }
    return len <= STATE_LENGTH_MAX && members <= STATE_MEMBERS_MAX;
}
