/*
 * Accept, Accept-Language and Accept-Encoding against what we can give (RFC 9110 section 12.5).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/negotiate.h"

struct row {
    const char *name;
    const char *header;
    const char *chosen;
};

typedef size_t negotiate(const char *header, const char *const *offers, size_t n);

static void check_rows(negotiate *choose, const char *const *offers, size_t n,
                       const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        size_t chosen = choose(rows[i].header, offers, n);

        if (chosen >= n || strcmp(offers[chosen], rows[i].chosen) != 0)
            fail_msg("%s: %s", rows[i].name, chosen < n ? offers[chosen] : "none");
    }
}

#define CHECK(choose, offers, rows)                                        \
    check_rows(choose, offers, sizeof(offers) / sizeof((offers)[0]), rows, \
               sizeof(rows) / sizeof((rows)[0]))

#define HTML  "text/html"
#define JSON  "application/json"
#define PLAIN "text/plain"

static void chooses_a_type(void **state)
{
    static const char *const offers[] = {HTML, JSON, PLAIN};
    static const struct row rows[] = {
        {"no header", NULL, HTML},
        {"empty", "", HTML},
        {"blank", " \t ", HTML},
        {"anything", "*/*", HTML},
        {"one type", JSON, JSON},
        {"case does not matter", "Application/JSON", JSON},
        {"unknown type: the first offer", "image/png", HTML},
        {"a tie goes to the earlier offer", "application/json, text/html", HTML},
        {"a tie behind the first", "text/plain, application/json", JSON},
        {"weights", "text/html;q=0.4, application/json;q=0.5", JSON},
        {"weights with three digits", "application/json;q=0.998, text/plain;q=0.999", PLAIN},
        {"a weight of 1.000", "application/json;q=0.999, text/plain;q=1.000", PLAIN},
        {"a weight of 1.", "application/json;q=0.9, text/plain;q=1.", PLAIN},
        {"no weight is one", "application/json;q=0.999, text/plain", PLAIN},
        {"capital Q", "application/json;Q=0.1, text/plain;Q=0.2", PLAIN},
        {"blanks around everything", " application/json \t;\tq=0.1 , \ttext/plain ; q=0.2 ", PLAIN},
        {"other parameters", "application/json;charset=utf-8;q=0.1, text/plain;a=b;q=0.2;c", PLAIN},
        {"a parameter that ends in q", "application/json;xq=0.1, text/html;q=0.5", JSON},
        {"subtypes", "text/*", HTML},
        {"subtypes, case", "TEXT/*;q=0.5, application/json;q=0.1", HTML},
        {"subtypes of another", "application/*", JSON},
        {"subtypes of a prefix", "app/*, text/plain;q=0.1", PLAIN},
        {"exact beats subtypes", "text/*;q=0.9, text/html;q=0.1, application/json;q=0.5", PLAIN},
        {"exact beats subtypes, other order", "text/html;q=0.1, text/*;q=0.9", PLAIN},
        {"exact beats anything", "*/*, text/html;q=0.1, application/json;q=0.2", PLAIN},
        {"subtypes beat anything", "*/*;q=0.5, text/*;q=0.1", JSON},
        {"subtypes beat anything, other order", "text/*;q=0.1, */*;q=0.5", JSON},
        {"refused", "text/html;q=0, */*", JSON},
        {"refused with zeros", "text/html;q=0.000, */*;q=0.001", JSON},
        {"all refused", "*/*;q=0", HTML},
        {"the better of two equal ranges",
         "text/plain;q=0.1, text/plain;q=0.9, application/json;q=0.5", PLAIN},
        {"a type is no prefix", "application/jso, text/plain;q=0.1", PLAIN},
        {"nor longer", "application/json5, text/plain;q=0.1", PLAIN},
        {"a star alone is nothing", "*, text/plain;q=0.1", PLAIN},
        {"a star as type only is nothing", "*/plain, application/json;q=0.1", JSON},
        {"a slash and a star are nothing", "/*, application/json;q=0.1", JSON},
        {"empty elements", ",,;q=1, ,text/plain;q=0.1,", PLAIN},
        {"garbage", "\x01\xff;=;,q=1,///,application/json;q=0.1", JSON},
        {"Java", "image/gif, *; q=.2, */*; q=.2, text/plain;q=0.1", PLAIN},
        {"Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML},
    };

    (void)state;
    CHECK(negotiate_type, offers, rows);
}

/* An element with a malformed weight is skipped, so that JSON at 0.001 wins. */
static void skips_malformed_weights(void **state)
{
    static const char *const weights[] = {
        "",     "2", "1.001", "1.1",  "0.0001", "0.1234", "00",   "0,5x",  "-1",  ".5",  "0.5 5",
        "+0.5", "a", "0x1",   "0.5a", "1.0000", "01",     "0.-1", "\"1\"", "1e0", "0..5"};
    static const char *const offers[] = {HTML, JSON};

    (void)state;
    for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        char header[128];

        (void)snprintf(header, sizeof(header), "text/html;q=%s, application/json;q=0.001",
                       weights[i]);
        if (negotiate_type(header, offers, 2) != 1)
            fail_msg("%s", header);
    }
}

static void chooses_a_language(void **state)
{
    static const char *const offers[] = {"en", "ko"};
    static const struct row rows[] = {
        {"no header", NULL, "en"},
        {"empty", "", "en"},
        {"Korean", "ko", "ko"},
        {"Korean of Korea", "ko-KR", "ko"},
        {"a Korean browser", "ko-KR,ko;q=0.9,en;q=0.8", "ko"},
        {"Korean refused", "en;q=0.1, ko;q=0", "en"},
        {"Korean refused first", "ko;q=0, en;q=0.1", "en"},
        {"English refused", "en;q=0, *", "ko"},
        {"an American browser", "en-US,en;q=0.5", "en"},
        {"a German browser", "de-DE,de;q=0.9,ko;q=0.1", "ko"},
        {"case does not matter", "KO-kr", "ko"},
        {"any", "*", "en"},
        {"any but better Korean", "*;q=0.5, ko;q=0.6", "ko"},
        {"exact beats partly", "ko-KR, ko;q=0.1, en;q=0.5", "en"},
        {"partly beats any", "*, en-GB;q=0.1", "ko"},
        {"a tie goes to the earlier offer", "ko, en", "en"},
        {"none of ours", "fr, de", "en"},
        {"a prefix is no tag", "kok, enm;q=0.9", "en"},
        {"a longer tag is no tag", "kok, ko;q=0.1", "ko"},
        {"a shorter tag is no tag", "k, e;q=0.9, ko;q=0.1", "ko"},
        {"an underscore is no hyphen", "en_US, ko;q=0.1", "ko"},
        {"a malformed weight", "ko;q=x, en;q=0.1", "en"},
        {"garbage", "\xff\xfe,;;;,=,ko;q=0.1", "ko"},
    };

    (void)state;
    CHECK(negotiate_language, offers, rows);
}

static void chooses_a_coding(void **state)
{
    static const char *const offers[] = {"br", "gzip", "identity"};
    static const struct row rows[] = {
        {"no header", NULL, "identity"},
        {"empty", "", "identity"},
        {"blank", " ", "identity"},
        {"gzip", "gzip", "gzip"},
        {"brotli", "br", "br"},
        {"case does not matter", "GZip", "gzip"},
        {"the old name", "x-gzip", "gzip"},
        {"no other old name", "x-br, gzip;q=0.1", "gzip"},
        {"a browser", "gzip, deflate, br", "br"},
        {"a newer browser", "gzip, deflate, br, zstd", "br"},
        {"any", "*", "br"},
        {"weights", "br;q=0.5, gzip;q=0.6", "gzip"},
        {"the least weight beats what is not named", "gzip;q=0.001", "gzip"},
        {"brotli refused", "br;q=0, *", "gzip"},
        {"all refused but one", "*;q=0, gzip", "gzip"},
        {"any little", "gzip;q=0.5, *;q=0.1", "gzip"},
        {"gzip refused", "gzip;q=0", "identity"},
        {"none of ours", "deflate, zstd", "identity"},
        {"identity preferred", "identity, gzip;q=0.5", "identity"},
        {"identity not preferred", "identity;q=0.5, gzip", "gzip"},
        {"identity refused", "identity;q=0, gzip;q=0.1", "gzip"},
        {"identity alone", "identity", "identity"},
        {"identity despite the star", "identity;q=0.1, *;q=0", "identity"},
        {"a malformed weight", "br;q=x, gzip;q=0.1", "gzip"},
        {"a prefix is no coding", "b, gzi, gzip2, gzip;q=0.1", "gzip"},
        {"example of the RFC", "gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"},
        {"garbage", "\xff\xfe,;;;,=,gzip;q=0.1", "gzip"},
    };

    (void)state;
    CHECK(negotiate_encoding, offers, rows);
}

static void finds_no_coding(void **state)
{
    static const char *const offers[] = {"identity", "gzip"};
    static const char *const refusals[] = {"*;q=0", "identity;q=0", "identity;q=0, gzip;q=0",
                                           "identity;q=0.000, br", "br, *;q=0.0"};

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (negotiate_encoding(refusals[i], offers, 2) != 2)
            fail_msg("%s", refusals[i]);
    assert_int_equal(negotiate_encoding("br", offers + 1, 1), 1);
    assert_int_equal(negotiate_encoding(NULL, offers + 1, 1), 1);
    assert_int_equal(negotiate_encoding("gzip", offers, 0), 0);
    assert_int_equal(negotiate_encoding("gzip;q=0.001", offers, 2), 0);
}

static void one_offer_is_always_taken(void **state)
{
    static const char *const offers[] = {HTML};

    (void)state;
    assert_int_equal(negotiate_type("image/png", offers, 1), 0);
    assert_int_equal(negotiate_type("*/*;q=0", offers, 1), 0);
    assert_int_equal(negotiate_type(NULL, offers, 1), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_a_type),     cmocka_unit_test(skips_malformed_weights),
        cmocka_unit_test(chooses_a_language), cmocka_unit_test(chooses_a_coding),
        cmocka_unit_test(finds_no_coding),    cmocka_unit_test(one_offer_is_always_taken),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
