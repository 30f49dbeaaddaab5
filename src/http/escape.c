#include "config.h"

#include "http/escape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longest form of one byte, with a NUL. */
#define FORM_SIZE 7

/* Writes what becomes of one byte. Returns its length. */
typedef size_t escape_byte(char byte, char form[FORM_SIZE]);

static size_t html_byte(char byte, char form[FORM_SIZE])
{
    static const char special[] = "&<>\"'";
    static const char *const references[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    const char *at = strchr(special, byte);
    if (at == NULL) {
        form[0] = byte;
        return 1;
    }
    size_t len = strlen(references[at - special]);
    memcpy(form, references[at - special], len);
    return len;
}

static bool is_path_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || strchr("/-._~!$&'()*+,;=:@", byte) != NULL;
}

static size_t path_byte(char byte, char form[FORM_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    form[0] = byte;
    if (is_path_byte(byte))
        return 1;
    form[0] = '%';
    form[1] = digits[(unsigned char)byte >> 4];
    form[2] = digits[(unsigned char)byte & 15];
    return 3;
}

static size_t escape(const char *text, escape_byte *write_byte, char *buf, size_t size)
{
    size_t len = 0;
    size_t written = 0; /* falls behind len for good once a form does not fit */
    for (; *text != '\0'; text++) {
        char form[FORM_SIZE];
        size_t form_len = write_byte(*text, form);
        if (written == len && form_len < size - written) {
            memcpy(buf + written, form, form_len);
            written += form_len;
        }
        len += form_len;
    }
    if (size > 0)
        buf[written] = '\0';
    return len;
}

static char *duplicate(const char *text, escape_byte *write_byte)
{
    size_t size = escape(text, write_byte, NULL, 0) + 1;
    char *block = malloc(size);
    if (block != NULL)
        (void)escape(text, write_byte, block, size);
    return block;
}

size_t escape_html(const char *text, char *buf, size_t size)
{
    return escape(text, html_byte, buf, size);
}

char *escape_html_dup(const char *text)
{
    return duplicate(text, html_byte);
}

size_t escape_path(const char *path, char *buf, size_t size)
{
    return escape(path, path_byte, buf, size);
}

char *escape_path_dup(const char *path)
{
    return duplicate(path, path_byte);
}
