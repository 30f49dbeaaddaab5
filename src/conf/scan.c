#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/scan.h"

/* What ends an unquoted word; a word may hold any other byte. */
#define WORD_ENDS " \t\r\n#\"'={}()+,*"

/* How much of the call `include("FILE")` has been read. */
enum call { CALL_NONE, CALL_OPEN, CALL_NAMED };

struct scan {
    char *at;
    unsigned line;
    const char *path;
    char *error;
    unsigned depth;
    unsigned open_line; /* of the outermost brace that is not closed yet */
    enum call call;
    char last;        /* the token before: its mark, or 'w' for a word or string */
    char *list_brace; /* the '{' of "= {" while nothing has come after it */
};

static int scan_fail(const struct scan *scan, unsigned line, const char *what)
{
    char where[CONF_ERROR_SIZE];

    (void)snprintf(where, sizeof(where), "%.*s:%u", CONF_ERROR_SIZE / 2 - 16, scan->path, line);
    return conf_fail(scan->error, where, "%s", what);
}

/* Overwrite up to `end` with spaces, but leave the lines. */
static void blank_until(struct scan *scan, const char *end)
{
    for (; scan->at < end; scan->at++) {
        if (*scan->at == '\n')
            scan->line++;
        else
            *scan->at = ' ';
    }
}

static int scan_comment(struct scan *scan)
{
    const char *end;

    if (scan->at[0] == '#' || scan->at[1] == '/') {
        blank_until(scan, scan->at + strcspn(scan->at, "\n"));
        return 0;
    }
    end = strstr(scan->at + 2, "*/");
    if (end == NULL)
        return scan_fail(scan, scan->line, "the comment that starts here is never closed");
    blank_until(scan, end + 2);
    return 0;
}

/* ${NAME} and ${NAME:-default}; libConfuse would search for the brace in the whole file. */
static int scan_variable(struct scan *scan)
{
    scan->at += strcspn(scan->at, "}\n");
    if (*scan->at != '}')
        return scan_fail(scan, scan->line,
                         "'${' needs a '}' on the same line; a plain one is written '\\${'");
    scan->at++;
    return 0;
}

/* A value is a C string and cannot hold NUL; a digit too many breaks libConfuse. */
static int scan_number_escape(struct scan *scan, const char *digits, size_t max, int base)
{
    size_t len = strspn(scan->at, digits);
    bool overlong = base == 8 && (len > max || isdigit((unsigned char)scan->at[len]));
    char text[4] = "";
    long value;

    len = len < max ? len : max;
    memcpy(text, scan->at, len);
    value = strtol(text, NULL, base);
    if (overlong || value < 1 || value > 0xff)
        return scan_fail(scan, scan->line, "a numeric escape is \\1 to \\377 or \\x1 to \\xff");
    scan->at += len;
    return 0;
}

static int scan_escape(struct scan *scan)
{
    scan->at++;
    if (isdigit((unsigned char)*scan->at))
        return scan_number_escape(scan, "01234567", 3, 8);
    if (*scan->at == 'x' && isxdigit((unsigned char)scan->at[1])) {
        scan->at++;
        return scan_number_escape(scan, "0123456789abcdefABCDEF", 2, 16);
    }
    if (*scan->at == '\n')
        scan->line++;
    if (*scan->at != '\0')
        scan->at++;
    return 0;
}

/* One character of a string, or one escape, or one variable. */
static int scan_string_part(struct scan *scan, char quote)
{
    if (*scan->at == '\\' && quote == '"')
        return scan_escape(scan);
    if (*scan->at == '$' && scan->at[1] == '{' && quote == '"')
        return scan_variable(scan);
    if (*scan->at == '\\' && scan->at[1] != '\0')
        scan->at++;
    if (*scan->at == '\n')
        scan->line++;
    scan->at++;
    return 0;
}

static int scan_string(struct scan *scan)
{
    unsigned start = scan->line;
    char quote = *scan->at++;
    int rc = 0;

    while (rc == 0 && *scan->at != quote) {
        if (*scan->at == '\0')
            return scan_fail(scan, start, "the string that starts here is never closed");
        rc = scan_string_part(scan, quote);
    }
    scan->at++;
    return rc;
}

/* libConfuse leaks what a wrong call of include() held, so such a call does not reach it. */
static int step_call(struct scan *scan, char token)
{
    if (token == '(' && scan->call == CALL_NONE)
        scan->call = CALL_OPEN;
    else if (token == 'w' && scan->call == CALL_OPEN)
        scan->call = CALL_NAMED;
    else if (token == ')' && scan->call == CALL_NAMED)
        scan->call = CALL_NONE;
    else if (scan->call != CALL_NONE)
        return scan_fail(scan, scan->line, "one file is included by include(\"FILE\")");
    return 0;
}

static void close_brace(struct scan *scan)
{
    if (scan->depth > 0)
        scan->depth--;
    if (scan->list_brace != NULL) {
        *scan->list_brace = '"';
        *scan->at = '"';
    }
}

/* Look at a whole token; scan->at is still on a mark, but past a word. */
static int step(struct scan *scan, char token)
{
    char *list_brace = NULL;

    if (token == '{') {
        if (scan->depth++ == 0)
            scan->open_line = scan->line;
        if (scan->last == '=')
            list_brace = scan->at;
    } else if (token == '}') {
        close_brace(scan);
    }
    scan->list_brace = list_brace;
    scan->last = token;
    return step_call(scan, token);
}

static int scan_mark(struct scan *scan)
{
    int rc = step(scan, *scan->at);

    scan->at++;
    return rc;
}

static int scan_stray(struct scan *scan)
{
    if (*scan->at == '+' && scan->at[1] == '=')
        return scan_fail(scan, scan->line, "'+=' is not known: a list is given whole, with '='");
    return scan_fail(scan, scan->line, *scan->at == '+' ? "'+' stands alone" : "'*' stands alone");
}

static int scan_word(struct scan *scan)
{
    int rc = 0;

    if (*scan->at == '"' || *scan->at == '\'')
        rc = scan_string(scan);
    else if (*scan->at == '$' && scan->at[1] == '{')
        rc = scan_variable(scan);
    else
        scan->at += strcspn(scan->at, WORD_ENDS);
    return rc < 0 ? rc : step(scan, 'w');
}

static int scan_token(struct scan *scan)
{
    if (strchr(" \t\r\n", *scan->at) != NULL) {
        scan->line += *scan->at++ == '\n';
        return 0;
    }
    if (*scan->at == '#' || (*scan->at == '/' && (scan->at[1] == '/' || scan->at[1] == '*')))
        return scan_comment(scan);
    if (strchr("{}()=,", *scan->at) != NULL)
        return scan_mark(scan);
    if (*scan->at == '+' || *scan->at == '*')
        return scan_stray(scan);
    return scan_word(scan);
}

int conf_scan(char *text, const char *path, char error[CONF_ERROR_SIZE])
{
    struct scan scan = {.at = text, .line = 1, .path = path, .error = error};
    int rc = 0;

    while (rc == 0 && *scan.at != '\0')
        rc = scan_token(&scan);
    if (rc == 0 && scan.depth > 0)
        rc = scan_fail(&scan, scan.open_line, "the '{' here is never closed");
    if (rc == 0 && scan.call != CALL_NONE)
        rc = scan_fail(&scan, scan.line, "one file is included by include(\"FILE\")");
    return rc;
}
