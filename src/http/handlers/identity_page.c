#include "config.h"

#include "http/handlers/identity_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/escape.h"
#include "http/identity.h"

/* The words of the page; one row a language. The lead stands around the worker id. */
static const struct words {
    const char *tag, *title, *lead_before, *lead_after;
    const char *instance, *worker, *slot, *pid, *hostname, *uptime, *requests;
} words[] = {
    [IDENTITY_ENGLISH] = {"en", "zombie-server", "Worker ",
                          " answered. Kill it: another one rises.", "Instance", "Worker", "Slot",
                          "Process", "Host", "Uptime", "Requests"},
    [IDENTITY_KOREAN] = {"ko", "좀비 서버", "워커 ", "번이 응답했습니다. 죽여도 다시 살아납니다.",
                         "인스턴스", "워커", "슬롯", "프로세스", "호스트", "가동 시간", "요청 수"},
};

static const char page[] =
    "<!doctype html>\n"
    "<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>%s</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 10vh auto; padding: 0 "
    "1rem; }\n"
    "th { text-align: left; font-weight: normal; opacity: .7; padding-right: 2rem; }\n"
    "td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }\n"
    "</style>\n</head>\n<body>\n<h1>%s</h1>\n<p>%s%" PRIu64 "%s</p>\n<table>\n"
    "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%" PRIu64 "</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%" PRIu32 "</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%" PRId64 "</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%" PRId64 ".%03d s</td></tr>\n"
    "<tr><th scope=\"row\">%s</th><td>%lu</td></tr>\n"
    "</table>\n</body>\n</html>\n";

char *identity_page_html(const struct identity_facts *facts, enum identity_language language)
{
    const struct worker_identity *identity = facts->identity;
    const struct words *in = &words[language];
    char *hostname = escape_html_dup(identity->hostname);
    char *html = NULL;
    if (hostname == NULL)
        return NULL;
    if (asprintf(&html, page, in->tag, in->title, in->title, in->lead_before, identity->worker,
                 in->lead_after, in->instance, identity->instance, in->worker, identity->worker,
                 in->slot, identity->slot, in->pid, identity->pid, in->hostname, hostname,
                 in->uptime, facts->uptime_ms / 1000, (int)(facts->uptime_ms % 1000), in->requests,
                 facts->requests) < 0)
        html = NULL;
    free(hostname);
    return html;
}

char *identity_page_text(const struct identity_facts *facts)
{
    const struct worker_identity *identity = facts->identity;
    char *text;
    if (asprintf(&text,
                 "instance: %s\nworker: %" PRIu64 "\nslot: %" PRIu32 "\npid: %" PRId64
                 "\nhostname: %s\nuptime_ms: %" PRId64 "\nrequests: %lu\n",
                 identity->instance, identity->worker, identity->slot, identity->pid,
                 identity->hostname, facts->uptime_ms, facts->requests) < 0)
        return NULL;
    return text;
}
