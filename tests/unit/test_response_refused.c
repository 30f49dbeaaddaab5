/*
 * Answers that are malformed, or that two parsers could read in two ways: each is
 * refused by head and chunk parser for the reason it is listed with, whole, cut
 * anywhere, and byte by byte. What is understood is in test_response.c.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/chunk.h"
#include "proxy/response.h"

enum { REFUSED_MIN = 120 };

static const struct response_limits limits = {.bytes = 1024, .fields = 8};

#define TEXT(literal) (literal), sizeof(literal) - 1
#define OK            "HTTP/1.1 200 OK\r\n"
#define OLD           "HTTP/1.0 200 OK\r\n"
#define SWITCH        "HTTP/1.1 101 Switching Protocols\r\n"
#define CHUNKED       OK "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH        OK "Content-Length: "
#define CODING        OK "Transfer-Encoding: "
#define LONG          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define VERY_LONG     LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG
#define FIELDS        "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"

static const char version[] = "it does not begin with an HTTP version and a space";
static const char major[] = "the major version is not 1";
static const char digits[] = "the status is not a number of three digits";
static const char range[] = "the status is not from 100 to 599";
static const char lf[] = "a line ends with LF alone";
static const char cr[] = "there is a CR without LF";
static const char nul[] = "there is a NUL";
static const char control[] = "there is a control byte";
static const char folded[] = "a header line is folded";
static const char no_colon[] = "a header line has no colon";
static const char blank[] = "there is white space before a colon";
static const char no_name[] = "a header has no name";
static const char no_token[] = "a header's name is not a token";
static const char length[] = "Content-Length is not a number";
static const char huge[] = "Content-Length is too large";
static const char lengths[] = "there are two values of Content-Length";
static const char both[] = "there are Content-Length and Transfer-Encoding";
static const char coding[] = "Transfer-Encoding is not chunked alone";
static const char codings[] = "Transfer-Encoding is repeated";
static const char old[] = "HTTP/1.0 has no Transfer-Encoding";
static const char options[] = "Connection is no list of tokens";
static const char unasked[] = "there is a 101 that was not asked for";
static const char half[] = "there is a 101 without Upgrade and Connection: upgrade";
static const char size[] = "the head is too long";
static const char many[] = "there are too many header lines";
static const char chunk_size[] = "a chunk's size is not a hexadecimal number";
static const char chunk_line[] = "a chunk's line is malformed";
static const char chunk_lf[] = "a chunk's line ends with LF alone";
static const char chunk_end[] = "there is no CRLF behind a chunk's data";
static const char chunk_huge[] = "a chunk's size is too large";
static const char chunk_digits[] = "a chunk's size has more than 16 digits";
static const char extension[] = "a chunk extension is malformed";
static const char trailer[] = "a trailer has a field that only a head may have";
static const char trailer_name[] = "a trailer's name is not a token";
static const char trailer_control[] = "a trailer has a control byte";

static const struct row {
    const char *text;
    size_t len;
    const char *why;
    bool to_head;
    bool asks_upgrade;
} rows[] = {
    /* What is no status line. */
    {TEXT("\r\n"), .why = version},
    {TEXT("\r\n" OK "\r\n"), .why = version},
    {TEXT(" " OK "\r\n"), .why = version},
    {TEXT("hello\r\n"), .why = version},
    {TEXT("<html>\r\n\r\n"), .why = version},
    {TEXT("200 OK\r\n\r\n"), .why = version},
    {TEXT("ICY 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/ 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1. 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1.1\r\n\r\n"), .why = version},
    {TEXT("HTTP/1.10 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/01.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/11.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1,1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/a.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1.x 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/-1.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("http/1.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("Http/1.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTPS/1.1 200 OK\r\n\r\n"), .why = version},
    {TEXT("HTTP/1.1\t200 OK\r\n\r\n"), .why = version},
    {TEXT("\xef\xbb\xbf" OK "\r\n"), .why = version},
    {TEXT("GET / HTTP/1.1\r\n\r\n"), .why = version},
    {TEXT("HTTP/2.0 200 OK\r\n\r\n"), .why = major},
    {TEXT("HTTP/0.9 200 OK\r\n\r\n"), .why = major},
    {TEXT("HTTP/9.9 200 OK\r\n\r\n"), .why = major},
    {TEXT("HTTP/1.1 \r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1  200 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 20 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 2\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 2000 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 0200 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 +20 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 -20 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 2x0 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 0xc8 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 OK 200\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 200OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 200\tOK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 200.0 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK\r\n\r\n"), .why = digits},
    {TEXT("HTTP/1.1 000 OK\r\n\r\n"), .why = range},
    {TEXT("HTTP/1.1 099 OK\r\n\r\n"), .why = range},
    {TEXT("HTTP/1.1 600 OK\r\n\r\n"), .why = range},
    {TEXT("HTTP/1.1 999 OK\r\n\r\n"), .why = range},

    /* Bytes that have no place, and ends of lines. */
    {TEXT("HTTP/1.1 200 OK\n\n"), .why = lf},
    {TEXT("HTTP/1.1 200 OK\nA: b\r\n\r\n"), .why = lf},
    {TEXT(OK "A: b\n\r\n"), .why = lf},
    {TEXT(OK "A: b\r\n\n"), .why = lf},
    {TEXT(OK "\n"), .why = lf},
    {TEXT("\n" OK "\r\n"), .why = lf},
    {TEXT("HTTP/1.1 200 OK\rA: b\r\n\r\n"), .why = cr},
    {TEXT("HTTP/1.1 200 OK\r\r\n\r\n"), .why = cr},
    {TEXT(OK "A: b\rContent-Length: 5\r\n\r\n"), .why = cr},
    {TEXT(OK "A: b\r\n\r\r\n"), .why = cr},
    {TEXT(OK "A: b\r\n\rx"), .why = cr},
    {TEXT("\0" OK "\r\n"), .why = nul},
    {TEXT("HTTP/1.1 200 O\0K\r\n\r\n"), .why = nul},
    {TEXT(OK "A\0: b\r\n\r\n"), .why = nul},
    {TEXT(OK "A: b\0\r\n\r\n"), .why = nul},
    {TEXT(OK "A: b\r\n\0\r\n"), .why = nul},
    {TEXT("HTTP/1.1 200 O\x01K\r\n\r\n"), .why = control},
    {TEXT("HTTP/1.1 200 \x7f\r\n\r\n"), .why = control},
    {TEXT("HTTP/1.1\v200 OK\r\n\r\n"), .why = control},
    {TEXT(OK "A: \x1b[31m\r\n\r\n"), .why = control},
    {TEXT(OK "A: b\x7f\r\n\r\n"), .why = control},
    {TEXT(OK "A:\fb\r\n\r\n"), .why = control},
    {TEXT(OK "A\x08: b\r\n\r\n"), .why = control},
    {TEXT("\x15\x03\x01\x00\x02\x02\x16"), .why = control},

    /* Header lines. */
    {TEXT(OK " A: b\r\n\r\n"), .why = folded},
    {TEXT(OK "\tA: b\r\n\r\n"), .why = folded},
    {TEXT(OK "A: b\r\n c\r\n\r\n"), .why = folded},
    {TEXT(OK "A: b\r\n\tc\r\n\r\n"), .why = folded},
    {TEXT(OK "A: b\r\n \r\n\r\n"), .why = folded},
    {TEXT(OK "Transfer-Encoding:\r\n chunked\r\n\r\n"), .why = coding},
    {TEXT(OK "A: b\r\n Content-Length: 5\r\n\r\n"), .why = folded},
    {TEXT(OK "A\r\n\r\n"), .why = no_colon},
    {TEXT(OK OK "\r\n"), .why = no_token},
    {TEXT(OK "A : b\r\n\r\n"), .why = blank},
    {TEXT(OK "Content-Length : 5\r\n\r\n"), .why = blank},
    {TEXT(OK "Transfer-Encoding\t: chunked\r\n\r\n"), .why = blank},
    {TEXT(OK "A b: c\r\n\r\n"), .why = blank},
    {TEXT(OK ": b\r\n\r\n"), .why = no_name},
    {TEXT(OK ":\r\n\r\n"), .why = no_name},
    {TEXT(OK "A(b): c\r\n\r\n"), .why = no_token},
    {TEXT(OK "\"A\": b\r\n\r\n"), .why = no_token},
    {TEXT(OK "A/b: c\r\n\r\n"), .why = no_token},
    {TEXT(OK "\xc3\xa9: b\r\n\r\n"), .why = no_token},
    {TEXT(OK "A=b\r\n\r\n"), .why = no_token},

    /* Content-Length. */
    {TEXT(LENGTH "\r\n\r\n"), .why = length},
    {TEXT(LENGTH "+5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "-5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "0x5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5 5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5, 5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5,6\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5.0\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5e1\r\n\r\n"), .why = length},
    {TEXT(LENGTH "5;a\r\n\r\n"), .why = length},
    {TEXT(LENGTH "\"5\"\r\n\r\n"), .why = length},
    {TEXT(LENGTH "five\r\n\r\n"), .why = length},
    {TEXT(LENGTH "\xd9\xa5\r\n\r\n"), .why = length},
    {TEXT(LENGTH "x\r\n\r\n"), .why = length, .to_head = true},
    {TEXT("HTTP/1.1 204 x\r\nContent-Length: x\r\n\r\n"), .why = length},
    {TEXT(LENGTH "9223372036854775808\r\n\r\n"), .why = huge},
    {TEXT(LENGTH "18446744073709551621\r\n\r\n"), .why = huge},
    {TEXT(LENGTH "99999999999999999999999999\r\n\r\n"), .why = huge},
    {TEXT(LENGTH "5\r\nContent-Length: 6\r\n\r\n"), .why = lengths},
    {TEXT(LENGTH "0\r\ncontent-length: 5\r\n\r\n"), .why = lengths},
    {TEXT(LENGTH "5\r\nA: b\r\nContent-Length: 0\r\n\r\n"), .why = lengths},
    {TEXT(LENGTH "5\r\nContent-Length: 6\r\n\r\n"), .why = lengths, .to_head = true},
    {TEXT(LENGTH "5\r\nContent-Length:\r\n\r\n"), .why = length},

    /* Transfer-Encoding. */
    {TEXT(LENGTH "5\r\nTransfer-Encoding: chunked\r\n\r\n"), .why = both},
    {TEXT(CODING "chunked\r\nContent-Length: 5\r\n\r\n"), .why = both},
    {TEXT(CODING "chunked\r\nContent-Length: 0\r\n\r\n"), .why = both},
    {TEXT(LENGTH "5\r\nTransfer-Encoding: identity\r\n\r\n"), .why = both},
    {TEXT(CODING "chunked\r\nContent-Length: 5\r\n\r\n"), .why = both, .to_head = true},
    {TEXT("HTTP/1.1 304 x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
     .why = both},
    {TEXT(CODING "\r\n\r\n"), .why = coding},
    {TEXT(CODING "identity\r\n\r\n"), .why = coding},
    {TEXT(CODING "gzip\r\n\r\n"), .why = coding},
    {TEXT(CODING "gzip, chunked\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunked, gzip\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunked, chunked\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunked,\r\n\r\n"), .why = coding},
    {TEXT(CODING ", chunked\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunked;q=1\r\n\r\n"), .why = coding},
    {TEXT(CODING "xchunked\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunke\r\n\r\n"), .why = coding},
    {TEXT(CODING "\"chunked\"\r\n\r\n"), .why = coding},
    {TEXT(CODING "chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), .why = codings},
    {TEXT(CODING "chunked\r\ntransfer-encoding: identity\r\n\r\n"), .why = codings},
    {TEXT(CODING "identity\r\nTransfer-Encoding: chunked\r\n\r\n"), .why = coding},
    {TEXT(OLD "Transfer-Encoding: chunked\r\n\r\n"), .why = old},
    {TEXT(OLD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), .why = old},
    {TEXT(OLD "Transfer-Encoding: identity\r\n\r\n"), .why = old},

    /* Connection and 101. */
    {TEXT(OK "Connection: keep alive\r\n\r\n"), .why = options},
    {TEXT(OK "Connection: close;\r\n\r\n"), .why = options},
    {TEXT(OK "Connection: \"close\"\r\n\r\n"), .why = options},
    {TEXT(OK "Connection: close, a/b\r\n\r\n"), .why = options},
    {TEXT(SWITCH "Connection: upgrade\r\nUpgrade: x\r\n\r\n"), .why = unasked},
    {TEXT(SWITCH "\r\n"), .why = unasked},
    {TEXT(SWITCH "\r\n"), .why = half, .asks_upgrade = true},
    {TEXT(SWITCH "Upgrade: x\r\n\r\n"), .why = half, .asks_upgrade = true},
    {TEXT(SWITCH "Connection: upgrade\r\n\r\n"), .why = half, .asks_upgrade = true},
    {TEXT(SWITCH "Connection: upgrade\r\nUpgrade:\r\n\r\n"), .why = half, .asks_upgrade = true},
    {TEXT(SWITCH "Connection: upgrades\r\nUpgrade: x\r\n\r\n"), .why = half, .asks_upgrade = true},
    {TEXT("HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
     .why = "HTTP/1.0 has no 101", .asks_upgrade = true},

    /* Floods. */
    {TEXT(VERY_LONG "x"), .why = size},
    {TEXT("HTTP/1.1 200 " VERY_LONG "\r\n\r\n"), .why = size},
    {TEXT(OK VERY_LONG ": a\r\n\r\n"), .why = size},
    {TEXT(OK "A: " VERY_LONG "\r\n\r\n"), .why = size},
    {TEXT(OK FIELDS "A: b\r\n\r\n"), .why = many},

    /* Chunks of an answer whose head is good. */
    {TEXT(CHUNKED "\r\n"), .why = chunk_size},
    {TEXT(CHUNKED "x\r\n"), .why = chunk_size},
    {TEXT(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"), .why = chunk_size},
    {TEXT(CHUNKED "-5\r\nhello\r\n0\r\n\r\n"), .why = chunk_size},
    {TEXT(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), .why = chunk_line},
    {TEXT(CHUNKED "5\nhello\n0\n\n"), .why = chunk_lf},
    {TEXT(CHUNKED "5\rhello\r\n"), .why = cr},
    {TEXT(CHUNKED "5\r\nhello0\r\n\r\n"), .why = chunk_end},
    {TEXT(CHUNKED "5\r\nhello!\r\n0\r\n\r\n"), .why = chunk_end},
    {TEXT(CHUNKED "5\r\nhello\n0\r\n\r\n"), .why = chunk_end},
    {TEXT(CHUNKED "4\r\nhello\r\n0\r\n\r\n"), .why = chunk_end},
    {TEXT(CHUNKED "6\r\nhello\r\n0\r\n\r\n"), .why = chunk_end},
    {TEXT(CHUNKED "5\r\nhello\r\n" OK), .why = chunk_size},
    {TEXT(CHUNKED "5\0\r\nhello\r\n"), .why = chunk_line},
    {TEXT(CHUNKED "8000000000000000\r\n"), .why = chunk_huge},
    {TEXT(CHUNKED "10000000000000005\r\nhello\r\n"), .why = chunk_digits},
    {TEXT(CHUNKED "5;\r\nhello\r\n0\r\n\r\n"), .why = extension},
    {TEXT(CHUNKED "0\r\nContent-Length: 5\r\n\r\n"), .why = trailer},
    {TEXT(CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n"), .why = trailer},
    {TEXT(CHUNKED "0\r\nA: b\r\nSET-COOKIE: a\r\n\r\n"), .why = trailer},
    {TEXT(CHUNKED "0\r\n A: b\r\n\r\n"), .why = trailer_name},
    {TEXT(CHUNKED "0\r\nA: b\r\n c\r\n\r\n"), .why = trailer_name},
    {TEXT(CHUNKED "0\r\n: b\r\n\r\n"), .why = trailer_name},
    {TEXT(CHUNKED "0\r\nA : b\r\n\r\n"), .why = trailer_name},
    {TEXT(CHUNKED "0\r\nA: \0\r\n\r\n"), .why = trailer_control},
    {TEXT(CHUNKED "0\r\nA: b\n\r\n"), .why = lf},
    {TEXT(CHUNKED "0\r\n\n"), .why = lf},
    {TEXT(CHUNKED "0\r\n\rx"), .why = cr},
};

/* An answer as the proxy would read it. */
struct reader {
    struct response response;
    struct chunk_decoder chunk;
    struct chunk_trailer trailer;
    size_t used;
    bool in_body;
};

static int read_chunks(struct reader *reader, const char *bytes, size_t len)
{
    int outcome;

    do {
        size_t consumed = 0;
        struct slice data;

        outcome =
            chunk_feed(&reader->chunk, bytes + reader->used, len - reader->used, &consumed, &data);
        reader->used += consumed;
    } while (outcome == CHUNK_DATA || outcome == CHUNK_TRAILER);
    return outcome >= 400 ? -EPROTO : outcome;
}

static int read_on(struct reader *reader, const char *bytes, size_t len)
{
    int outcome;

    if (reader->in_body)
        return read_chunks(reader, bytes, len);
    outcome = response_feed(&reader->response, &limits, bytes, len);
    if (outcome != RESPONSE_DONE || reader->response.framing != RESPONSE_CHUNKED)
        return outcome;
    reader->in_body = true;
    reader->used = reader->response.len;
    return read_chunks(reader, bytes, len);
}

/* Send `first` bytes and then `step` at a time, in memory of their own each time. */
static void check_pieces(const struct row *row, size_t first, size_t step)
{
    int wanted = row->why == size || row->why == many ? -EMSGSIZE : -EPROTO;
    struct reader reader = {.used = 0};
    const char *why;
    int outcome = 0;

    response_init(&reader.response, row->to_head, row->asks_upgrade);
    chunk_init(&reader.chunk);
    chunk_keep_trailers(&reader.chunk, &reader.trailer);
    for (size_t sent = first; outcome == 0;
         sent = row->len - sent < step ? row->len : sent + step) {
        char *bytes = malloc(sent > 0 ? sent : 1);

        assert_non_null(bytes);
        memcpy(bytes, row->text, sent);
        outcome = read_on(&reader, bytes, sent);
        free(bytes);
        if (sent == row->len)
            break;
    }
    why = reader.in_body ? reader.chunk.why : reader.response.why;
    if (outcome != wanted || !why || strcmp(why, row->why) != 0)
        fail_msg("row %td, \"%s\", cut at %zu and then every %zu: %d (%s)", row - rows, row->text,
                 first, step, outcome, why ? why : "-");
    assert_int_equal(read_on(&reader, row->text, row->len), wanted);
}

static void refuses_what_is_ambiguous(void **state)
{
    (void)state;
    assert_in_range(sizeof(rows) / sizeof(rows[0]), REFUSED_MIN, 1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t cut = 0; cut <= rows[i].len; cut++)
            check_pieces(&rows[i], cut, rows[i].len + 1);
        check_pieces(&rows[i], 1, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_ambiguous),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
