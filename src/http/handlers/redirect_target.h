/*
 * Where a redirect leads: what may be configured, and what may be added to it
 * of a request without leading to another host or into another header. Pure.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_REDIRECT_TARGET_H
#define ZOMBIE_HTTP_HANDLERS_REDIRECT_TARGET_H

/*
 * Why `to` is no target: it must be "http://host...", "https://host..." or
 * "/path", without blanks, control bytes, backslashes and what is not ASCII.
 * Returns NULL if it is one, else a constant "to: what is wrong".
 */
const char *redirect_target_check(const char *to);

/*
 * The value of Location (RFC 9110 section 10.2.2): `to`, a valid target, with
 * `below` after its path and `query` after its query; "" adds nothing. Both are
 * still percent-encoded; bytes that may not stand in a URI (RFC 3986) are encoded
 * as well. One slash stands between `to` and `below`, whatever they end and
 * begin with, so that "/" and "/evil.test" do not make "//evil.test", which is
 * a host. Returns a text to be freed, or NULL when memory is short.
 */
char *redirect_target_join(const char *to, const char *below, const char *query);

#endif
