/*
 * The admin site without its process: over loopback, on a scoreboard of two
 * places, and with a master that is played by the test.
 */
#ifndef ZOMBIE_TESTS_ADMIN_FIXTURE_H
#define ZOMBIE_TESTS_ADMIN_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

struct admin_site;
struct control_request;
struct directory;
struct scoreboard;

#define FIXTURE_TOKEN "0123456789abcdef"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path, size, body)                                                          \
    "POST " path " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " FIXTURE_TOKEN \
    "\r\nContent-Length: " #size "\r\n\r\n" body

/* What the site has; for tests to read. */
extern struct admin_site *fixture_site;
extern struct scoreboard *fixture_board;
extern struct directory *fixture_directory;

/* Start it with this admin.token; the test fails if it cannot. */
void fixture_start(char *token);

/* The master has told what it had kept; set-up has done that. */
void fixture_catch_up(void);

/* Set-up and tear-down for cmocka, with FIXTURE_TOKEN. */
int fixture_setup_site(void **state);
int fixture_teardown_site(void **state);

/* Run all that is due; or wait for one event. */
void fixture_turn(void);
void fixture_wait(void);

/* Timers of 2 and 30 seconds are over at once from now on, or not. Needs --wrap=event_add. */
void fixture_hurry(bool hurries);

/* What the master was asked, but for events: how often, the i-th command and its arguments. */
size_t fixture_asked(void);
const char *fixture_command(size_t i);
const char *fixture_arguments(size_t i);
struct control_request *fixture_request(size_t i);

/* The i-th question was for the status: answer {"pid":pid}. */
void fixture_tell_status(size_t i, int pid);

/* The master tells an event of that number, with a text of so many bytes. */
void fixture_tell_event(int seq, size_t len);

/* The master dies. */
void fixture_lose_master(void);

/* One client, and what it has got so far. */
struct client {
    int fd;
    char got[65536];
    size_t len;
};

/* Connect and send a request. */
void fixture_ask(struct client *client, const char *request);

/* Run the loop until the client has got this text; fail when it is closed before. */
void fixture_await(struct client *client, const char *text);

/* Close. */
void fixture_hang_up(struct client *client);

/* Ask, await, hang up. */
void fixture_expect(const char *request, const char *text);

#endif
