#include "config.h"

#include "choice_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void field_add(struct field *field, struct conf_server rule)
{
    size_t i = field->choice.n++;

    peer_configure(&field->peers[i], &rule, 0);
    field->order[i] = (uint8_t)i;
    field->choice.n_primary += !rule.backup;
}

void field_fill(struct field *field, int balance, const char *weights)
{
    *field = (struct field){.random = 1};
    field->choice = (struct choice){.balance = balance,
                                    .peers = field->peers,
                                    .order = field->order,
                                    .tried = &field->tried,
                                    .random = &field->random};
    for (; *weights != '\0'; weights++)
        field_add(field, (struct conf_server){
                             .weight = *weights - '0', .max_fails = 1, .fail_timeout_ms = 10000});
}

char field_choose(struct field *field, int64_t now_ms)
{
    int i;

    field->choice.now_ms = now_ms;
    i = choice_make(&field->choice);
    return i < 0 ? '-' : (char)('a' + i);
}

void field_assert_sequence(struct field *field, int64_t now_ms, const char *wanted)
{
    char got[64] = "";

    for (size_t i = 0; wanted[i] != '\0'; i++)
        got[i] = field_choose(field, now_ms);
    assert_string_equal(got, wanted);
}
