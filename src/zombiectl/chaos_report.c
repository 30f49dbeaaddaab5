#include "config.h"

#include "zombiectl/chaos_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"
#include "zombiectl/visible.h"

/* Room for a time such as "12.3 ms". */
#define TIME_SIZE 32

/* Writes the sentence and returns true when there is something to say. */
typedef bool sentence(const struct chaos_report *report, char *text);

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

__attribute__((format(printf, 2, 3))) static bool say(char *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, CHAOS_REASON_SIZE, format, args);
    va_end(args);
    return true;
}

static bool lost_too_many(const struct chaos_report *report, char *text)
{
    uint64_t lost = chaos_tally_lost(&report->tally);

    return lost > (uint64_t)report->options->allow &&
           say(text, "%" PRIu64 " request%s %s lost and %" PRId64 " may be", lost, plural(lost),
               lost == 1 ? "was" : "were", report->options->allow);
}

static bool is_weak(const struct chaos_report *report, char *text)
{
    return !report->is_full && !report->was_disconnected &&
           say(text, "%" PRId64 " of %" PRId64 " workers serve at the end",
               chaos_strength_count(&report->strength), report->strength.wanted);
}

static bool was_disconnected(const struct chaos_report *report, char *text)
{
    return report->was_disconnected && say(text, "the server has closed the control connection");
}

static bool killed_nobody(const struct chaos_report *report, char *text)
{
    return report->sent == 0 && say(text, "no worker was killed, so nothing is proven");
}

static bool answered_nothing(const struct chaos_report *report, char *text)
{
    return report->tally.outcomes[PROBE_OK] == 0 && say(text, "no request was answered");
}

static bool note_way(const struct chaos_report *report, char *text)
{
    return report->options->way->note != NULL && say(text, "%s", report->options->way->note);
}

static bool note_failure(const struct chaos_report *report, char *text)
{
    return report->failed > 0 && say(text, "%" PRIu64 " kill%s failed, the first because: %s",
                                     report->failed, plural(report->failed), report->failure);
}

static bool note_survivors(const struct chaos_report *report, char *text)
{
    return report->strength.deaths < report->sent &&
           say(text, "the server has told of no death for %" PRIu64 " of the kills",
               report->sent - report->strength.deaths);
}

static bool note_client_errors(const struct chaos_report *report, char *text)
{
    return report->tally.client_errors > 0 &&
           say(text, "%" PRIu64 " answer%s had a status 4xx: is the URL right?",
               report->tally.client_errors, plural(report->tally.client_errors));
}

static bool note_want(const struct chaos_report *report, char *text)
{
    uint64_t n = report->tally.not_sent;

    return n > 0 &&
           say(text, "%" PRIu64 " request%s put off for want of ports, descriptors or memory", n,
               n == 1 ? " was" : "s were");
}

static bool note_interruption(const struct chaos_report *report, char *text)
{
    return report->was_interrupted &&
           say(text, "interrupted after %" PRId64 " ms", report->took_ms);
}

static bool note_upgrade(const struct chaos_report *report, char *text)
{
    return report->was_upgraded && say(text, "the server was upgraded during the run");
}

static bool nth(sentence *const *sentences, const struct chaos_report *report, size_t number,
                char *text)
{
    for (; *sentences != NULL; sentences++) {
        if ((*sentences)(report, text) && number-- == 0)
            return true;
    }
    return false;
}

bool chaos_report_reason(const struct chaos_report *report, size_t number,
                         char ret_reason[CHAOS_REASON_SIZE])
{
    static sentence *const reasons[] = {lost_too_many, is_weak,          was_disconnected,
                                        killed_nobody, answered_nothing, NULL};

    return nth(reasons, report, number, ret_reason);
}

bool chaos_report_note(const struct chaos_report *report, size_t number,
                       char ret_note[CHAOS_REASON_SIZE])
{
    static sentence *const notes[] = {note_way,           note_failure, note_survivors,
                                      note_client_errors, note_want,    note_interruption,
                                      note_upgrade,       NULL};

    return nth(notes, report, number, ret_note);
}

bool chaos_report_passes(const struct chaos_report *report)
{
    char reason[CHAOS_REASON_SIZE];

    return !chaos_report_reason(report, 0, reason);
}

/* In milliseconds; -1, no value at all, is null. */
static json_t *json_ms(int64_t us)
{
    return us < 0 ? json_null() : json_real((double)us / 1000);
}

static json_t *json_spread(const struct chaos_spread *spread)
{
    return json_pack("{s:o, s:o, s:o}", "p50", json_ms(chaos_spread_percentile(spread, 50)), "p99",
                     json_ms(chaos_spread_percentile(spread, 99)), "max",
                     json_ms(spread->n > 0 ? spread->max_us : -1));
}

static json_t *json_lost(const struct chaos_tally *tally)
{
    json_t *lost = json_pack("{s:I}", "total", (json_int_t)chaos_tally_lost(tally));

    for (enum chaos_outcome i = PROBE_OK + 1; i < PROBE_OUTCOMES; i++) {
        if (json_object_set_new(lost, chaos_tally_name(i),
                                json_integer((json_int_t)tally->outcomes[i])) != 0) {
            json_decref(lost);
            return NULL;
        }
    }
    return lost;
}

static json_t *json_sentences(const struct chaos_report *report,
                              bool (*say_nth)(const struct chaos_report *, size_t, char *))
{
    json_t *list = json_array();
    char text[CHAOS_REASON_SIZE];

    for (size_t i = 0; say_nth(report, i, text); i++) {
        if (json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *chaos_report_json(const struct chaos_report *report)
{
    const struct chaos_options *options = report->options;
    const struct chaos_tally *tally = &report->tally;

    return json_pack(
        "{s:I, s:s, s:f, s:I, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:s,"
        " s:o, s:o}",
        "seed", (json_int_t)options->seed, "mode", options->way->mode, "rate",
        (double)options->rate / 1000, "took_ms", (json_int_t)report->took_ms, "kills", "sent",
        (json_int_t)report->sent, "held_back", (json_int_t)report->held_back, "failed",
        (json_int_t)report->failed, "deaths", (json_int_t)report->strength.deaths, "requests",
        "sent", (json_int_t)chaos_tally_sent(tally), "ok", (json_int_t)tally->outcomes[PROBE_OK],
        "retried", (json_int_t)tally->retried, "allowed", (json_int_t)options->allow, "lost",
        json_lost(tally), "latency_ms", json_spread(&tally->latency), "full_strength_ms",
        json_spread(&report->strength.recovery), "verdict",
        chaos_report_passes(report) ? "PASS" : "FAIL", "reasons",
        json_sentences(report, chaos_report_reason), "notes",
        json_sentences(report, chaos_report_note));
}

__attribute__((format(printf, 3, 4))) static void add_row(struct bytes *out, const char *name,
                                                          const char *format, ...)
{
    char text[2 * CHAOS_REASON_SIZE];
    va_list args;

    (void)snprintf(text, sizeof(text), "%-14s  ", name);
    bytes_add_text(out, text);
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    visible_clean(out, VISIBLE_LINE, text);
    bytes_add_text(out, "\n");
}

static void format_time(int64_t us, char buf[TIME_SIZE])
{
    if (us < 0)
        (void)snprintf(buf, TIME_SIZE, "-");
    else if (us < 10000000)
        (void)snprintf(buf, TIME_SIZE, "%.*f ms", us < 100000 ? 2 : 0, (double)us / 1000);
    else
        (void)snprintf(buf, TIME_SIZE, "%.1f s", (double)us / 1000000);
}

static void add_spread(struct bytes *out, const char *name, const struct chaos_spread *spread)
{
    char times[3][TIME_SIZE];

    format_time(chaos_spread_percentile(spread, 50), times[0]);
    format_time(chaos_spread_percentile(spread, 99), times[1]);
    format_time(spread->n > 0 ? spread->max_us : -1, times[2]);
    add_row(out, name, "p50 %s, p99 %s, max %s", times[0], times[1], times[2]);
}

static void add_lost(struct bytes *out, const struct chaos_tally *tally)
{
    for (enum chaos_outcome i = PROBE_OK + 1; i < PROBE_OUTCOMES; i++) {
        if (tally->outcomes[i] > 0)
            add_row(out, "", "%" PRIu64 " %s", tally->outcomes[i], chaos_tally_name(i));
    }
}

static void add_sentences(const struct chaos_report *report, struct bytes *out, const char *name,
                          bool (*say_nth)(const struct chaos_report *, size_t, char *))
{
    char text[CHAOS_REASON_SIZE];

    for (size_t i = 0; say_nth(report, i, text); i++)
        add_row(out, i == 0 ? name : "", "%s", text);
}

void chaos_report_print(const struct chaos_report *report, struct bytes *out)
{
    const struct chaos_options *options = report->options;
    const struct chaos_tally *tally = &report->tally;

    add_row(out, "chaos", "%s, %g kill%s a second for %.1f s, seed %" PRId64, options->way->mode,
            (double)options->rate / 1000, options->rate == 1000 ? "" : "s",
            (double)report->took_ms / 1000, options->seed);
    add_row(out, "kills",
            "%" PRIu64 " sent, %" PRIu64 " held back, %" PRIu64 " failed, %" PRIu64 " death%s",
            report->sent, report->held_back, report->failed, report->strength.deaths,
            plural(report->strength.deaths));
    add_row(out, "requests", "%" PRIu64 " sent, %" PRIu64 " ok, %" PRIu64 " retried",
            chaos_tally_sent(tally), tally->outcomes[PROBE_OK], tally->retried);
    add_row(out, "lost", "%" PRIu64 " (%" PRId64 " allowed)", chaos_tally_lost(tally),
            options->allow);
    add_lost(out, tally);
    add_spread(out, "latency", &tally->latency);
    add_spread(out, "full strength", &report->strength.recovery);
    add_sentences(report, out, "note", chaos_report_note);
    add_row(out, "verdict", "%s", chaos_report_passes(report) ? "PASS" : "FAIL");
    add_sentences(report, out, "because", chaos_report_reason);
}
