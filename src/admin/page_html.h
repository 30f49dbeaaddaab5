/*
 * The live page, admin/page.html, as build-aux/embed has made it part of the program.
 */
#ifndef ZOMBIE_ADMIN_PAGE_HTML_H
#define ZOMBIE_ADMIN_PAGE_HTML_H

#include <stddef.h>

extern const unsigned char page_html[];
extern const size_t page_html_len;

/* Its entity tag, quotes included. */
extern const char page_html_etag[];

/* The sources of Content-Security-Policy (CSP level 3) that allow what is written in it. */
extern const char page_html_scripts[];
extern const char page_html_styles[];

#endif
