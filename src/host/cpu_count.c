/*
 * The sum that leads from CPUs to workers.
 */
#include "config.h"

#include "host/cpu_count.h"

#include <inttypes.h>
#include <stdio.h>

/* Room for one part of the sentence. */
#define PART_SIZE 48

static long usable_cpus(const struct cpu_facts *facts)
{
    int64_t quota = facts->quota_milli / 1000 + (facts->quota_milli % 1000 != 0);

    if (quota > 0 && quota < facts->affinity)
        return (long)quota;
    return facts->affinity;
}

/* The quotient before the lower bound of one worker. */
static long quotient(long cpus, long reserved, long containers)
{
    long left = cpus > reserved ? cpus - reserved : 1;

    return left / containers;
}

long cpu_count_workers(const struct cpu_facts *facts, long reserved, long containers)
{
    long workers = quotient(usable_cpus(facts), reserved, containers);

    return workers > 0 ? workers : 1;
}

/* ", quota 3.5 rounded up", ", quota 2", or nothing. */
static void describe_quota(int64_t milli, char buf[PART_SIZE])
{
    int thousandths = (int)(milli % 1000);
    int digits = 3;

    buf[0] = '\0';
    if (milli <= 0)
        return;
    if (thousandths == 0) {
        snprintf(buf, PART_SIZE, ", quota %" PRId64, milli / 1000);
        return;
    }
    for (; thousandths % 10 == 0; thousandths /= 10)
        digits--;
    snprintf(buf, PART_SIZE, ", quota %" PRId64 ".%0*d rounded up", milli / 1000, digits,
             thousandths);
}

void cpu_count_describe(const struct cpu_facts *facts, long reserved, long containers,
                        char buf[CPU_COUNT_TEXT_SIZE])
{
    long cpus = usable_cpus(facts);
    long workers = cpu_count_workers(facts, reserved, containers);
    char quota[PART_SIZE];
    char minus[PART_SIZE] = "";
    char divided[PART_SIZE] = "";

    describe_quota(facts->quota_milli, quota);
    if (reserved > 0)
        snprintf(minus, sizeof(minus), " - %ld reserved", reserved);
    if (containers > 1)
        snprintf(divided, sizeof(divided), " / containers %ld", containers);
    snprintf(buf, CPU_COUNT_TEXT_SIZE, "cpus %ld (affinity %ld%s)%s%s = %ld worker%s%s", cpus,
             facts->affinity, quota, minus, divided, workers, workers == 1 ? "" : "s",
             cpus - reserved < containers ? ", the minimum" : "");
}
