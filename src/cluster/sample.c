#include "config.h"

#include "cluster/sample.h"

#include <stdbool.h>

#include "host/process_usage.h"

static double percent(int64_t cpu_ms, int64_t elapsed_ms)
{
    return elapsed_ms > 0 ? 100.0 * (double)cpu_ms / (double)elapsed_ms : 0;
}

void sample_look(struct sample *sample, pid_t pid, int64_t started_ms, int64_t now_ms)
{
    struct process_usage usage;
    bool is_same = sample->pid == pid;
    if (is_same && now_ms - sample->when_ms < SAMPLE_FRESH_MS)
        return;
    if (process_usage_read(pid, &usage) != 0)
        usage = (struct process_usage){.cpu_ms = -1, .rss_bytes = -1, .pss_bytes = -1};
    if (usage.cpu_ms < 0)
        sample->cpu_percent = -1;
    else if (is_same && sample->cpu_ms >= 0)
        sample->cpu_percent = percent(usage.cpu_ms - sample->cpu_ms, now_ms - sample->when_ms);
    else
        sample->cpu_percent = percent(usage.cpu_ms, now_ms - started_ms);
    sample->pid = pid;
    sample->when_ms = now_ms;
    sample->cpu_ms = usage.cpu_ms;
    sample->rss_bytes = usage.rss_bytes;
    sample->pss_bytes = usage.pss_bytes;
}

void sample_count(struct sample *sample, uint64_t requests, int64_t started_ms, int64_t now_ms)
{
    bool is_new = sample->requests_ms == 0 || requests < sample->requests;
    int64_t elapsed_ms = now_ms - (is_new ? started_ms : sample->requests_ms);
    uint64_t answered = requests - (is_new ? 0 : sample->requests);
    if (elapsed_ms > 0)
        sample->requests_per_second = 1000.0 * (double)answered / (double)elapsed_ms;
    sample->requests = requests;
    sample->requests_ms = now_ms;
}
