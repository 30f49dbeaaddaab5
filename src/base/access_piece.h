/*
 * What the lines of the access log are made of: literal text, variables, the
 * members of a JSON object. Only access_format.c puts them together.
 */
#ifndef ZOMBIE_BASE_ACCESS_PIECE_H
#define ZOMBIE_BASE_ACCESS_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/access_format.h"

/* Room for each of the dates, NUL included, whatever the year. */
#define ACCESS_DATE_SIZE 48

/* The second that was rendered last: most lines of a busy worker share it. */
struct access_dates {
    time_t second;
    bool valid;
    char local[ACCESS_DATE_SIZE];   /* "31/Jan/2026:23:59:59 +0000" */
    char iso8601[ACCESS_DATE_SIZE]; /* "2026-01-31T23:59:59+00:00" */
    char utc[ACCESS_DATE_SIZE];     /* "2026-01-31T23:59:59" */
};

/* A line in the making. When something did not fit, nothing follows it. */
struct access_line {
    char *at;
    char *end; /* the closing of the line has its room after this */
    bool full;
    const struct access_entry *entry;
    const struct access_dates *dates;
};

struct access_piece;
typedef void access_piece_put(struct access_line *line, const struct access_piece *piece);

struct access_piece {
    access_piece_put *put; /* adds the piece to the line */
    size_t offset;         /* of a member of struct access_entry or access_attempt that is shown */
    const char *text;      /* the literal text, or what precedes the value in JSON */
    size_t len;
    const char *field; /* the name of a field of the request's header */
};

/* The piece for the variable of this name, without '$'; not $http_... Returns whether there is one.
 */
bool access_piece_variable(const char *name, size_t len, struct access_piece *ret_piece);

/* A text as it is, which must outlive the piece. */
struct access_piece access_piece_literal(const char *text, size_t len);

/* The request's header field of this name, which must outlive the piece. */
struct access_piece access_piece_header(const char *name);

/* The pieces of the format "json", and their number; the object must be closed after them. */
const struct access_piece *access_piece_json(size_t *ret_n);

#endif
