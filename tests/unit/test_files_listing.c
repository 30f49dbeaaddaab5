/*
 * Reading a real folder, and its listing as a page and as JSON, with names that
 * mean harm.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/handlers/files_folder.h"
#include "http/handlers/files_listing.h"

static char top[] = "/tmp/test_files_listing.XXXXXX";

static void touch(const char *name, off_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0644);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(close(fd), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top) | mkdir("root", 0755) | mkdir("root/sub", 0755), 0);
    assert_int_equal(mkdir("root/sub/zz", 0755) | mkdir("root/sub/.dots", 0755), 0);
    touch("outside", 1);
    touch("root/sub/b", 12345);
    touch("root/sub/a", 0);
    touch("root/sub/Z", 1);
    touch("root/sub/.dot", 1);
    assert_int_equal(mkfifo("root/sub/fifo", 0644), 0);
    assert_int_equal(symlink("b", "root/sub/link"), 0);
    assert_int_equal(symlink("zz", "root/sub/link-zz"), 0);
    assert_int_equal(symlink("../../outside", "root/sub/out"), 0);
    assert_int_equal(symlink("none", "root/sub/broken"), 0);
    return 0;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    return chdir("/") != 0 || system(command) != 0;
}

/* The names of what is read, each followed by a blank. */
static void read_names(enum files_symlinks symlinks, bool dot_files, char *names, size_t size)
{
    struct files_root root;
    struct files_folder folder;
    struct stat found;
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/root", top);
    files_root_open(&root, path, symlinks, 0);
    int fd = files_open(&root, "sub/", FILES_FOLDER, &found);
    assert_true(fd >= 0);
    assert_int_equal(files_folder_read(&root, "sub/", fd, dot_files, &folder), 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_false(folder.is_cut);
    names[0] = '\0';
    for (size_t i = 0; i < folder.n; i++) {
        size_t used = strlen(names);

        (void)snprintf(names + used, size - used, "%s%s ", folder.entries[i].name,
                       folder.entries[i].is_folder ? "/" : "");
    }
    files_folder_clear(&folder);
    files_root_close(&root);
}

static void reads_what_would_be_served(void **state)
{
    char names[512];

    (void)state;
    read_names(FILES_SYMLINKS_BENEATH, false, names, sizeof(names));
    assert_string_equal(names, "link-zz/ zz/ Z a b link ");
    read_names(FILES_SYMLINKS_NONE, false, names, sizeof(names));
    assert_string_equal(names, "zz/ Z a b ");
    read_names(FILES_SYMLINKS_BENEATH, true, names, sizeof(names));
    assert_string_equal(names, ".dots/ link-zz/ zz/ .dot Z a b link ");
}

static void what_is_no_folder_is_an_error(void **state)
{
    struct files_root root = {.fd = -1};
    struct files_folder folder;

    (void)state;
    int fd = open("root/sub/a", O_RDONLY);
    assert_int_equal(files_folder_read(&root, "", fd, false, &folder), -ENOTDIR);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void long_folders_are_cut(void **state)
{
    struct files_root root = {.fd = -1};
    struct files_folder folder;
    size_t len;

    (void)state;
    assert_int_equal(mkdir("root/many", 0755), 0);
    for (int i = 0; i <= FILES_ENTRIES_MAX; i++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "root/many/%05d", i);
        touch(name, 0);
        if (i < FILES_ENTRIES_MAX - 1)
            continue;
        int fd = open("root/many", O_RDONLY | O_DIRECTORY);
        assert_int_equal(files_folder_read(&root, "many/", fd, false, &folder), 0);
        assert_int_equal(folder.n, FILES_ENTRIES_MAX);
        assert_int_equal(folder.is_cut, i == FILES_ENTRIES_MAX);
        char *page = files_listing_write(&folder, "/", false, FILES_LISTING_HTML, &len);
        assert_non_null(page);
        assert_int_equal(strstr(page, "more than these 10000") != NULL, folder.is_cut);
        free(page);
        files_folder_clear(&folder);
    }
}

static char *list(const char *name, const char *path, bool is_folder, enum files_listing form)
{
    char copy[300];
    struct files_entry entry = {
        .name = copy, .size = UINT64_MAX, .mtime_s = 784111777, .is_folder = is_folder};
    struct files_folder folder = {&entry, 1, false};
    size_t len;

    (void)snprintf(copy, sizeof(copy), "%s", name);
    char *text = files_listing_write(&folder, path, true, form, &len);
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    return text;
}

#define BAD "\xef\xbf\xbd"

static void names_are_only_names(void **state)
{
    static const struct {
        const char *name;
        const char *link; /* the element of the page */
        const char *json; /* the member of the object */
    } rows[] = {
        {"a", "<a href=\"./a\">a</a>", "a"},
        {"<script>alert(1)</script>",
         "<a "
         "href=\"./%3Cscript%3Ealert(1)%3C/script%3E\">&lt;script&gt;alert(1)&lt;/script&gt;</a>",
         "<script>alert(1)</script>"},
        {"\"onmouseover='x'",
         "<a href=\"./%22onmouseover=&#39;x&#39;\">&quot;onmouseover=&#39;x&#39;</a>",
         "\\\"onmouseover='x'"},
        {"a&b", "<a href=\"./a&amp;b\">a&amp;b</a>", "a&b"},
        {"javascript:x", "<a href=\"./javascript:x\">javascript:x</a>", "javascript:x"},
        {"a\nb", "<a href=\"./a%0Ab\">a" BAD "b</a>", "a" BAD "b"},
        {"a\x7f\x1b", "<a href=\"./a%7F%1B\">a" BAD BAD "</a>", "a" BAD BAD},
        {"\xff\xc3(", "<a href=\"./%FF%C3(\">" BAD BAD "(</a>", BAD BAD "("},
        {"\xc3\xa4 ?#%", "<a href=\"./%C3%A4%20%3F%23%25\">\xc3\xa4 ?#%</a>", "\xc3\xa4 ?#%"},
        {"\\", "<a href=\"./%5C\">\\</a>", "\\\\"},
        {"\xf0\x9f\xa7\x9f", "<a href=\"./%F0%9F%A7%9F\">\xf0\x9f\xa7\x9f</a>", "\xf0\x9f\xa7\x9f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[512];
        char *page = list(rows[i].name, "/", false, FILES_LISTING_HTML);
        char *json = list(rows[i].name, "/", false, FILES_LISTING_JSON);

        if (strstr(page, rows[i].link) == NULL)
            fail_msg("row %zu: %s", i, strstr(page, "href=\"./"));
        (void)snprintf(expected, sizeof(expected),
                       "[\n{\"name\":\"%s\",\"type\":\"file\",\"mtime\":\"Sun, 06 Nov 1994 "
                       "08:49:37 GMT\",\"size\":18446744073709551615}\n]\n",
                       rows[i].json);
        assert_string_equal(json, expected);
        free(page);
        free(json);
    }
}

static void the_longest_name_fits(void **state)
{
    char name[256], expected[3 * 255 + 32] = "<a href=\"./";

    (void)state;
    memset(name, '\xff', 255);
    name[255] = '\0';
    for (size_t i = 0; i < 255; i++)
        memcpy(expected + strlen("<a href=\"./") + 3 * i, "%FF", 4);
    (void)strcat(expected, "/\">" BAD);
    char *page = list(name, "/", true, FILES_LISTING_HTML);
    assert_non_null(strstr(page, expected));
    free(page);
}

static void folders_end_with_a_slash(void **state)
{
    (void)state;
    char *page = list("d", "/x<y>/", true, FILES_LISTING_HTML);
    char *json = list("d", "/", true, FILES_LISTING_JSON);
    assert_non_null(strstr(page, "<title>Index of /x&lt;y&gt;/</title>"));
    assert_non_null(strstr(page, "<h1>Index of /x&lt;y&gt;/</h1>"));
    assert_non_null(strstr(page, "<a href=\"../\">../</a>"));
    assert_non_null(strstr(page, "<tr><td><a href=\"./d/\">d/</a></td><td></td>"
                                 "<td>1994-11-06 08:49</td></tr>"));
    assert_string_equal(json, "[\n{\"name\":\"d\",\"type\":\"directory\","
                              "\"mtime\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}\n]\n");
    free(page);
    free(json);
}

static void an_empty_folder_is_listed(void **state)
{
    struct files_folder folder = {0};
    size_t len;

    (void)state;
    char *page = files_listing_write(&folder, "/", false, FILES_LISTING_HTML, &len);
    char *json = files_listing_write(&folder, "/", false, FILES_LISTING_JSON, &len);
    assert_null(strstr(page, "<a "));
    assert_string_equal(json, "[\n]\n");
    free(page);
    free(json);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_would_be_served),
        cmocka_unit_test(what_is_no_folder_is_an_error),
        cmocka_unit_test(long_folders_are_cut),
        cmocka_unit_test(names_are_only_names),
        cmocka_unit_test(the_longest_name_fits),
        cmocka_unit_test(folders_end_with_a_slash),
        cmocka_unit_test(an_empty_folder_is_listed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, setup, teardown);
}
