/*
 * traceparent and tracestate from anybody: what is accepted comes back as the
 * same ids in version 00, and what is sane has no byte that ends a field.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/trace_context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_parent(const char *text)
{
    struct trace_context context, again;
    char buf[TRACE_PARENT_SIZE];

    if (trace_context_parse(text, &context) < 0)
        return;
    trace_context_format(&context, buf);
    check(strlen(buf) == TRACE_PARENT_SIZE - 1);
    check(memcmp(buf + 2, text + 2, 51) == 0);
    check(trace_context_parse(buf, &again) == 0);
    check(memcmp(&context, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_parent(text);
    if (trace_state_is_sane(text))
        check(strlen(text) <= 512 && strpbrk(text, "\r\n\x7f") == NULL);
    free(text);
    return 0;
}
