#include "config.h"

#include "http/range.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* One range as it was written. */
struct spec {
    bool has_first, has_last;
    uint64_t first, last; /* without a first position, `last` is the length of a suffix */
};

/* Digits as a number; one that does not fit is the largest, which is beyond any content. */
static bool take_number(const char **at, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t n = strspn(*at, "0123456789");
    for (size_t i = 0; i < n; i++) {
        uint64_t digit = (uint64_t)((*at)[i] - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *at += n;
    *ret_value = value;
    return n > 0;
}

/* "2-5", "2-", "-3", and what follows it up to the next comma or the end. */
static int take_spec(const char **at, struct spec *ret_spec)
{
    ret_spec->has_first = take_number(at, &ret_spec->first);
    if (*(*at)++ != '-')
        return -EINVAL;
    ret_spec->has_last = take_number(at, &ret_spec->last);
    if (!ret_spec->has_first && !ret_spec->has_last)
        return -EINVAL;
    if (ret_spec->has_first && ret_spec->has_last && ret_spec->last < ret_spec->first)
        return -EINVAL;
    *at += strspn(*at, " \t");
    return **at == ',' || **at == '\0' ? 0 : -EINVAL;
}

/* What a range means for `size` bytes; false when it is not satisfiable. */
static bool apply(const struct spec *spec, uint64_t size, struct range *ret_range)
{
    if (!spec->has_first) {
        uint64_t len = spec->last < size ? spec->last : size;
        *ret_range = (struct range){size - len, len};
        return len > 0;
    }
    if (spec->first >= size)
        return false;
    uint64_t last = spec->has_last && spec->last < size - 1 ? spec->last : size - 1;
    *ret_range = (struct range){spec->first, last - spec->first + 1};
    return true;
}

static bool touch(const struct range *a, const struct range *b)
{
    return a->offset <= b->offset + b->len && b->offset <= a->offset + a->len;
}

static struct range unite(const struct range *a, const struct range *b)
{
    uint64_t begin = a->offset < b->offset ? a->offset : b->offset;
    uint64_t a_end = a->offset + a->len, b_end = b->offset + b->len;
    return (struct range){begin, (a_end > b_end ? a_end : b_end) - begin};
}

/*
 * Add a range to n that do not touch each other, and keep it so. Whatever
 * touches the union touches the new range, so one pass is enough.
 */
static size_t add(struct range *ranges, size_t n, struct range new)
{
    size_t kept = 0, place = n;
    for (size_t i = 0; i < n; i++) {
        if (!touch(&ranges[i], &new)) {
            ranges[kept++] = ranges[i];
            continue;
        }
        new = unite(&ranges[i], &new);
        if (place == n)
            place = kept++;
    }
    if (place == n)
        place = kept++;
    ranges[place] = new;
    return kept;
}

int range_parse(const char *header, uint64_t size, struct range *ranges, size_t max, size_t *ret_n)
{
    size_t n = 0, n_specs = 0;
    uint64_t rest = size; /* what all ranges together may still cover */
    if (strncasecmp(header, "bytes=", 6) != 0 || size == 0)
        return -EINVAL;
    for (const char *at = header + 6; at += strspn(at, " \t,"), *at != '\0';) {
        struct spec spec;
        struct range range;
        if (++n_specs > max || take_spec(&at, &spec) != 0)
            return -EINVAL;
        if (!apply(&spec, size, &range))
            continue;
        if (range.len > rest)
            return -EINVAL;
        rest -= range.len;
        n = add(ranges, n, range);
    }
    if (n_specs == 0)
        return -EINVAL;
    if (n == 0)
        return -ERANGE;
    *ret_n = n;
    return 0;
}
