#include "config.h"

#include "control/answer.h"

#include <errno.h>

#include "base/bytes.h"
#include "control/text.h"

const char *control_error_name(enum control_error error)
{
    static const char *const names[CONTROL_ERRORS] = {
        [CONTROL_BAD_REQUEST] = "bad-request",
        [CONTROL_UNKNOWN_COMMAND] = "unknown-command",
        [CONTROL_BAD_ARGUMENT] = "bad-argument",
        [CONTROL_UNKNOWN_SLOT] = "unknown-slot",
        [CONTROL_NOT_ALLOWED] = "not-allowed",
        [CONTROL_REFUSED] = "refused",
        [CONTROL_FAILED] = "failed",
        [CONTROL_TOO_MANY] = "too-many",
    };
    return names[error];
}

/* The object with one member more; NULL once something was. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *begin(uint64_t id)
{
    return with(json_object(), "id", id > 0 ? json_integer((json_int_t)id) : json_null());
}

json_t *control_answer_progress(uint64_t id, unsigned done, unsigned total, const char *text)
{
    json_t *progress = with(json_object(), "done", json_integer(done));
    progress = with(progress, "total", json_integer(total));
    return with(with(begin(id), "progress", progress), "text", control_text(text));
}

json_t *control_answer_piece(uint64_t id, const char *key, json_t *value)
{
    return with(begin(id), key, value);
}

json_t *control_answer_success(uint64_t id, const char *text, json_t *result)
{
    json_t *answer = with(begin(id), "ok", json_true());
    if (text != NULL)
        answer = with(answer, "text", control_text(text));
    return result != NULL ? with(answer, "result", result) : answer;
}

json_t *control_answer_failure(uint64_t id, enum control_error error, const char *text)
{
    json_t *answer = with(begin(id), "ok", json_false());
    answer = with(answer, "error", json_string(control_error_name(error)));
    return with(answer, "text", control_text(text));
}

static int append(const char *data, size_t len, void *arg)
{
    struct bytes *out = arg;
    bytes_add(out, data, len);
    return out->failed ? -1 : 0;
}

int control_answer_add(struct bytes *out, json_t *answer)
{
    int r = answer != NULL ? json_dump_callback(answer, append, out, JSON_COMPACT) : -1;
    json_decref(answer);
    if (r == 0)
        r = append("\n", 1, out);
    return r == 0 ? 0 : -ENOMEM;
}
