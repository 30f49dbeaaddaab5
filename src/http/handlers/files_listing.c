#include "config.h"

#include "http/handlers/files_listing.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "http/escape.h"
#include "http/handlers/files_folder.h"
#include "http/http_date.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* The longest text of one character: an entity such as "&quot;". */
#define CHARACTER_SIZE 8

static const char page_head[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Index of ";
static const char page_style[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 "
    "1rem; }\n"
    "h1 { font-size: 1.25rem; overflow-wrap: anywhere; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th { text-align: left; font-weight: normal; opacity: .7; }\n"
    "td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }\n"
    "td + td, th + th { text-align: right; white-space: nowrap; padding-left: 2rem; }\n"
    "</style>\n</head>\n<body>\n<h1>Index of ";
static const char page_table[] =
    "</h1>\n<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Size</th>"
    "<th scope=\"col\">Modified (UTC)</th></tr></thead>\n<tbody>\n";
static const char page_parent[] = "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";

/* Write one character for HTML. */
static void put_html(FILE *out, const char *character)
{
    char text[CHARACTER_SIZE];
    escape_html(character, text, sizeof text);
    fputs(text, out);
}

/* Write one character within a JSON string (RFC 8259 section 7). */
static void put_json(FILE *out, const char *character)
{
    if (character[0] == '"' || character[0] == '\\')
        fputc('\\', out);
    fputs(character, out);
}

/* The bytes of the character that the text begins with; 0 when it is none to be shown. */
static size_t character_length(const char *text)
{
    bool is_control = (unsigned char)text[0] < 0x20 || text[0] == 0x7f;
    return is_control ? 0 : utf8_sequence_length(text, strlen(text));
}

static void put_text(FILE *out, const char *text, void (*put)(FILE *out, const char *character))
{
    while (*text != '\0') {
        char character[5] = REPLACEMENT;
        size_t len = character_length(text);
        if (len > 0) {
            memcpy(character, text, len);
            character[len] = '\0';
        }
        put(out, character);
        text += len > 0 ? len : 1;
    }
}

/* "./" in front, or "a:b" would be a URI of the scheme "a". */
static void put_link(FILE *out, const struct files_entry *entry)
{
    char path[3 * NAME_MAX + 1];
    escape_path(entry->name, path, sizeof path);
    fputs("<a href=\"./", out);
    put_text(out, path, put_html);
    fputs(entry->is_folder ? "/\">" : "\">", out);
    put_text(out, entry->name, put_html);
    fputs(entry->is_folder ? "/</a>" : "</a>", out);
}

static void put_row(FILE *out, const struct files_entry *entry)
{
    char when[32] = "";
    time_t mtime_s = (time_t)entry->mtime_s;
    struct tm parts;
    if (gmtime_r(&mtime_s, &parts) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M", &parts);
    fputs("<tr><td>", out);
    put_link(out, entry);
    fputs("</td><td>", out);
    if (!entry->is_folder)
        fprintf(out, "%" PRIu64, entry->size);
    fprintf(out, "</td><td>%s</td></tr>\n", when);
}

static void put_page(FILE *out, const struct files_folder *folder, const char *path,
                     bool has_parent)
{
    fputs(page_head, out);
    put_text(out, path, put_html);
    fputs(page_style, out);
    put_text(out, path, put_html);
    fputs(page_table, out);
    if (has_parent)
        fputs(page_parent, out);
    for (size_t i = 0; i < folder->n; i++)
        put_row(out, &folder->entries[i]);
    fputs("</tbody>\n</table>\n", out);
    if (folder->is_cut)
        fprintf(out, "<p>There is more than these %zu entries.</p>\n", folder->n);
    fputs("</body>\n</html>\n", out);
}

static void put_object(FILE *out, const struct files_entry *entry)
{
    char date[HTTP_DATE_SIZE];
    http_date_format(entry->mtime_s, date);
    fputs("{\"name\":\"", out);
    put_text(out, entry->name, put_json);
    fprintf(out, "\",\"type\":\"%s\",\"mtime\":\"%s\"", entry->is_folder ? "directory" : "file",
            date);
    if (!entry->is_folder)
        fprintf(out, ",\"size\":%" PRIu64, entry->size);
    fputc('}', out);
}

static void put_array(FILE *out, const struct files_folder *folder)
{
    fputc('[', out);
    for (size_t i = 0; i < folder->n; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        put_object(out, &folder->entries[i]);
    }
    fputs("\n]\n", out);
}

char *files_listing_write(const struct files_folder *folder, const char *path, bool has_parent,
                          enum files_listing form, size_t *ret_len)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    if (form == FILES_LISTING_JSON)
        put_array(out, folder);
    else
        put_page(out, folder, path, has_parent);
    bool is_whole = ferror(out) == 0;
    if (fclose(out) != 0 || !is_whole) {
        free(text);
        return NULL;
    }
    *ret_len = len;
    return text;
}
