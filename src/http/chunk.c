#include "config.h"

#include "http/chunk.h"

#include <stdbool.h>
#include <string.h>

#include "http/octets.h"

/*
 *   SIZE_FIRST -> SIZE -+-------------------------------> SIZE_LF --+-> DATA
 *       ^               +-> (extensions) ------------------^        |     |
 *       |                                                           |     v
 *       +------------------------------- DATA_LF <- DATA_CR <-------|-----+
 *                                                                   |
 *   a chunk of size 0:  TRAILER_FIRST <-----------------------------+
 *                         |    ^  +-> END_LF -> DONE
 *                         v    +---------------+
 *                       TRAILER_NAME -> TRAILER_VALUE -> TRAILER_LF
 *
 *   extensions: ;  EXT_START  name  EXT_NAME  =  EXT_VALUE  token         EXT_TOKEN
 *                                                           "quoted \" "  EXT_QUOTED, EXT_ESCAPED,
 *                                                                         EXT_QUOTED_END
 *   EXT_BLANK, EXT_NAME_BLANK: behind white space, which only ';' or '=' may follow.
 */
enum state {
    SIZE_FIRST,
    SIZE,
    EXT_BLANK,
    EXT_START,
    EXT_NAME,
    EXT_NAME_BLANK,
    EXT_VALUE,
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
};

enum { SIZE_DIGITS_MAX = 16 }; /* of 64 bits */

/* RFC 9110 section 6.5.1: what must be known before the body is, or decides how it is read. */
static const char *const forbidden[] = {
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "pragma",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
};

static int refuse(struct chunk_decoder *chunk, int status, const char *why)
{
    chunk->why = why;
    return status;
}

static int go(struct chunk_decoder *chunk, enum state state)
{
    chunk->state = (int)state;
    return 0;
}

/* A line feed is due; what follows is `next`. */
static int expect_lf(struct chunk_decoder *chunk, char byte, enum state next)
{
    if (byte != '\n')
        return refuse(chunk, 400, "there is a CR without LF");
    return go(chunk, next);
}

static int begin_line(struct chunk_decoder *chunk, char byte)
{
    if (!octets_is(byte, OCTET_HEX))
        return refuse(chunk, 400, "a chunk's size is not a hexadecimal number");
    chunk->left = octets_hex_value(byte);
    chunk->line = 1;
    return go(chunk, SIZE);
}

/* What may follow something complete: the end of the line or another extension. */
static int end_or_extend(struct chunk_decoder *chunk, char byte, enum state blank)
{
    if (byte == '\r')
        return go(chunk, SIZE_LF);
    if (byte == ';')
        return go(chunk, EXT_START);
    if (octets_is(byte, OCTET_BLANK))
        return go(chunk, blank);
    if (byte == '\n')
        return refuse(chunk, 400, "a chunk's line ends with LF alone");
    return refuse(chunk, 400, "a chunk's line is malformed");
}

static int read_size(struct chunk_decoder *chunk, char byte)
{
    if (!octets_is(byte, OCTET_HEX))
        return end_or_extend(chunk, byte, EXT_BLANK);
    if (chunk->line > SIZE_DIGITS_MAX)
        return refuse(chunk, 413, "a chunk's size has more than 16 digits");
    chunk->left = chunk->left << 4 | octets_hex_value(byte);
    return 0;
}

/* RFC 9112 section 7.1.1, with the white space that it bids a recipient accept. */
static int read_extension(struct chunk_decoder *chunk, char byte)
{
    bool is_token = octets_is(byte, OCTET_TOKEN);
    bool is_blank = octets_is(byte, OCTET_BLANK);

    switch (chunk->state) {
    case EXT_BLANK:
        if (byte == ';')
            return go(chunk, EXT_START);
        if (is_blank)
            return 0;
        break;
    case EXT_START:
        if (is_token || is_blank)
            return go(chunk, is_token ? EXT_NAME : EXT_START);
        break;
    case EXT_NAME:
        if (byte == '=' || is_token)
            return go(chunk, is_token ? EXT_NAME : EXT_VALUE);
        return end_or_extend(chunk, byte, EXT_NAME_BLANK);
    case EXT_NAME_BLANK:
        if (byte == '=' || byte == ';')
            return go(chunk, byte == '=' ? EXT_VALUE : EXT_START);
        if (is_blank)
            return 0;
        break;
    case EXT_VALUE:
        if (is_token || byte == '"')
            return go(chunk, is_token ? EXT_TOKEN : EXT_QUOTED);
        if (is_blank)
            return 0;
        break;
    case EXT_TOKEN:
        return is_token ? 0 : end_or_extend(chunk, byte, EXT_BLANK);
    default:
        return end_or_extend(chunk, byte, EXT_BLANK);
    }
    return refuse(chunk, 400, "a chunk extension is malformed");
}

static int read_quoted(struct chunk_decoder *chunk, char byte)
{
    if (octets_is(byte, OCTET_CONTROL))
        return refuse(chunk, 400, "a chunk extension has a control byte");
    if (chunk->state == EXT_ESCAPED)
        return go(chunk, EXT_QUOTED);
    if (byte == '"' || byte == '\\')
        return go(chunk, byte == '"' ? EXT_QUOTED_END : EXT_ESCAPED);
    return 0;
}

/* Hold a byte of a chunk's first line, behind the first digit, against the bounds. */
static int count_line(struct chunk_decoder *chunk, char byte)
{
    if (byte == '\r')
        return 0;
    if (++chunk->line > CHUNK_LINE_MAX)
        return refuse(chunk, 400, "a chunk's line is too long");
    if (chunk->state != SIZE && ++chunk->extensions > CHUNK_EXTENSIONS_MAX)
        return refuse(chunk, 400, "the chunk extensions are too long");
    return 0;
}

static int read_line(struct chunk_decoder *chunk, char byte)
{
    int status = count_line(chunk, byte);

    if (status != 0)
        return status;
    if (chunk->state == SIZE)
        return read_size(chunk, byte);
    if (chunk->state == EXT_QUOTED || chunk->state == EXT_ESCAPED)
        return read_quoted(chunk, byte);
    return read_extension(chunk, byte);
}

static int end_line(struct chunk_decoder *chunk, char byte)
{
    if (chunk->left > (uint64_t)INT64_MAX - chunk->announced)
        return refuse(chunk, 413, "a chunk's size is too large");
    chunk->announced += chunk->left;
    return expect_lf(chunk, byte, chunk->left > 0 ? DATA : TRAILER_FIRST);
}

static int end_data(struct chunk_decoder *chunk, char byte)
{
    if (byte != '\r')
        return refuse(chunk, 400, "there is no CRLF behind a chunk's data");
    return go(chunk, DATA_LF);
}

static int begin_trailer(struct chunk_decoder *chunk, char byte)
{
    if (byte == '\r')
        return go(chunk, END_LF);
    if (byte == '\n')
        return refuse(chunk, 400, "a line ends with LF alone");
    if (!octets_is(byte, OCTET_TOKEN))
        return refuse(chunk, 400, "a trailer's name is not a token");
    if (++chunk->trailer_lines > CHUNK_TRAILER_LINES_MAX)
        return refuse(chunk, 431, "there are too many trailers");
    chunk->name[0] = byte;
    chunk->line = 1;
    return go(chunk, TRAILER_NAME);
}

static bool is_forbidden(const struct chunk_decoder *chunk)
{
    struct slice name = {.at = chunk->name, .len = chunk->line};

    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (octets_match(name, forbidden[i], strlen(forbidden[i])))
            return true;
    }
    return false;
}

static int read_trailer_name(struct chunk_decoder *chunk, char byte)
{
    if (byte == ':') {
        if (is_forbidden(chunk))
            return refuse(chunk, 400, "a trailer has a field that only a head may have");
        return go(chunk, TRAILER_VALUE);
    }
    if (!octets_is(byte, OCTET_TOKEN))
        return refuse(chunk, 400, "a trailer's name is not a token");
    /* Longer names are none of the forbidden ones. */
    if (chunk->line < sizeof(chunk->name))
        chunk->name[chunk->line] = byte;
    chunk->line++;
    return 0;
}

static int read_trailer_value(struct chunk_decoder *chunk, char byte)
{
    if (byte == '\r')
        return go(chunk, TRAILER_LF);
    if (byte == '\n')
        return refuse(chunk, 400, "a line ends with LF alone");
    if (octets_is(byte, OCTET_CONTROL))
        return refuse(chunk, 400, "a trailer has a control byte");
    return 0;
}

/* The line's end is due; who keeps trailers is handed this one. */
static int end_trailer(struct chunk_decoder *chunk, char byte)
{
    struct chunk_trailer *trailer = chunk->trailer;
    int status = expect_lf(chunk, byte, TRAILER_FIRST);

    if (!trailer || status != 0)
        return status;
    trailer->name = (struct slice){.at = trailer->text, .len = chunk->line};
    trailer->value.at = trailer->text + chunk->line + 1;
    trailer->value.len = trailer->len - chunk->line - 1;
    trailer->value = octets_trim(trailer->value);
    return CHUNK_TRAILER;
}

/* There is room: no line is longer than all of them may be. */
static void keep_trailer(struct chunk_trailer *trailer, int state, char byte)
{
    if (state == TRAILER_FIRST)
        trailer->len = 0;
    if (state <= TRAILER_VALUE && byte != '\r')
        trailer->text[trailer->len++] = byte;
}

static int read_trailer(struct chunk_decoder *chunk, char byte)
{
    if (++chunk->trailers > CHUNK_TRAILERS_MAX)
        return refuse(chunk, 431, "the trailers are too long");
    if (chunk->trailer)
        keep_trailer(chunk->trailer, chunk->state, byte);
    switch (chunk->state) {
    case TRAILER_FIRST:
        return begin_trailer(chunk, byte);
    case TRAILER_NAME:
        return read_trailer_name(chunk, byte);
    case TRAILER_VALUE:
        return read_trailer_value(chunk, byte);
    case TRAILER_LF:
        return end_trailer(chunk, byte);
    default:
        return expect_lf(chunk, byte, DONE);
    }
}

/* Take a byte that is no data. Returns 0, CHUNK_TRAILER, or the status to refuse with. */
static int step(struct chunk_decoder *chunk, char byte)
{
    switch (chunk->state) {
    case SIZE_FIRST:
        return begin_line(chunk, byte);
    case SIZE_LF:
        return end_line(chunk, byte);
    case DATA_CR:
        return end_data(chunk, byte);
    case DATA_LF:
        return expect_lf(chunk, byte, SIZE_FIRST);
    default:
        return chunk->state < SIZE_LF ? read_line(chunk, byte) : read_trailer(chunk, byte);
    }
}

static struct slice take_data(struct chunk_decoder *chunk, const char *bytes, size_t len)
{
    struct slice data = {.at = bytes, .len = len};

    if (chunk->left < len)
        data.len = (size_t)chunk->left;
    chunk->left -= data.len;
    if (chunk->left == 0)
        chunk->state = DATA_CR;
    return data;
}

void chunk_init(struct chunk_decoder *chunk)
{
    *chunk = (struct chunk_decoder){.state = SIZE_FIRST};
}

void chunk_keep_trailers(struct chunk_decoder *chunk, struct chunk_trailer *trailer)
{
    trailer->len = 0;
    chunk->trailer = trailer;
}

int chunk_feed(struct chunk_decoder *chunk, const char *bytes, size_t len, size_t *ret_consumed,
               struct slice *ret_data)
{
    size_t n = 0;

    *ret_data = (struct slice){0};
    while (n < len && chunk->outcome == 0 && chunk->state != DATA && chunk->state != DONE)
        chunk->outcome = step(chunk, bytes[n++]);
    if (n < len && chunk->state == DATA) {
        *ret_data = take_data(chunk, bytes + n, len - n);
        n += ret_data->len;
    }
    *ret_consumed = n;
    if (chunk->outcome == CHUNK_TRAILER) {
        chunk->outcome = 0;
        return CHUNK_TRAILER;
    }
    if (ret_data->len > 0)
        return CHUNK_DATA;
    if (chunk->state == DONE)
        return CHUNK_DONE;
    return chunk->outcome;
}
