/*
 * Route patterns, "[METHOD ][HOST]/path", with the rules of Go's ServeMux since
 * 1.22: "/a" is exact, "/a/" a subtree, "{name}" takes one segment, "{name...}"
 * the rest, "{$}" the end behind a slash. Reading and comparing them; pure.
 */
#ifndef ZOMBIE_CONF_PATTERN_H
#define ZOMBIE_CONF_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_BYTES_MAX    1024
#define PATTERN_SEGMENTS_MAX 32
#define PATTERN_NAMES_MAX    16

/* The methods of RFC 9110 section 9.3 and RFC 5789 but CONNECT, in the order of their names. */
enum pattern_method {
    PATTERN_ANY_METHOD,
    PATTERN_DELETE,
    PATTERN_GET,
    PATTERN_HEAD,
    PATTERN_OPTIONS,
    PATTERN_PATCH,
    PATTERN_POST,
    PATTERN_PUT,
    PATTERN_TRACE,
    PATTERN_N_METHODS
};

enum pattern_kind {
    PATTERN_LITERAL,  /* this segment */
    PATTERN_WILDCARD, /* "{name}": one segment that is not empty */
    PATTERN_REST,     /* "{name...}", or a slash at the end: all that follows, even nothing */
    PATTERN_END       /* "{$}": nothing behind the slash */
};

struct pattern_segment {
    enum pattern_kind kind;
    const char *text; /* the literal, percent-decoded; or the name, "" when there is none */
    size_t len;
};

/* What a pattern says. Read-only; the texts live as long as the pattern. */
struct conf_pattern {
    enum pattern_method method; /* PATTERN_GET takes HEAD, too */
    const char *host;           /* in lower case, without a dot at its end; "": any */
    size_t host_len;
    struct pattern_segment segments[PATTERN_SEGMENTS_MAX]; /* one at least */
    size_t n_segments;
    size_t n_names;
    char bytes[]; /* all texts */
};

/* What pattern a is to pattern b. */
enum pattern_relation {
    PATTERN_EQUAL,         /* both match the same requests */
    PATTERN_MORE_SPECIFIC, /* where both match, a goes before b */
    PATTERN_MORE_GENERAL,  /* where both match, b goes before a */
    PATTERN_DISJOINT,      /* no request matches both */
    PATTERN_OVERLAP        /* some requests match both, and none of them goes before the other */
};

/*
 * Read a pattern. Returns 0 and sets *ret, to be freed with pattern_free();
 * -EINVAL and sets *ret_why to a constant text such as "the same name twice";
 * -ENOMEM.
 */
__attribute__((warn_unused_result)) int pattern_parse(const char *text, struct conf_pattern **ret,
                                                      const char **ret_why);

/* Free; NULL is fine. */
void pattern_free(struct conf_pattern *pattern);

/*
 * Which of two patterns goes before the other. With a host it goes before one
 * without; else MORE_SPECIFIC means that b matches whatever a matches, as Go
 * combines method (none > GET > HEAD) and path.
 */
enum pattern_relation pattern_compare(const struct conf_pattern *a, const struct conf_pattern *b);

/* Whether the two cannot be routes of one configuration: EQUAL or OVERLAP. */
bool pattern_conflicts(const struct conf_pattern *a, const struct conf_pattern *b);

/*
 * A request that both match, such as "GET host/a/b", its path percent-encoded,
 * into buf of size bytes (more than 0), incomplete if there is no room for all of
 * it; "" for patterns that are DISJOINT.
 */
void pattern_example(const struct conf_pattern *a, const struct conf_pattern *b, char *buf,
                     size_t size);

/* The method of that name, case and all; PATTERN_ANY_METHOD: none of these. */
enum pattern_method pattern_method(const char *name, size_t len);

/* The name of a method, "" for PATTERN_ANY_METHOD; constant. */
const char *pattern_method_name(enum pattern_method method);

/*
 * Percent-encode in place what may not stand in a segment of a path (RFC 3986
 * section 3.3) and is not in `keep`: len bytes of text, which has room for size
 * bytes, with a NUL at the end. Returns the new length; 0, and leaves the text
 * alone, when there is no room.
 */
size_t pattern_escape(char *text, size_t len, size_t size, const char *keep);

#endif
