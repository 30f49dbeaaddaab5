"""The redirect handler: where it sends whom, and where it never does."""

import pytest

ROUTES = """
route "/plain" { handler = redirect  to = "/hello" }
route "/old/" { handler = redirect  to = "/new"  keep_path = yes  keep_query = yes  status = 308 }
route "/all/{rest...}" { handler = redirect  to = "/"  keep_path = yes }
route "/away/" { handler = redirect  to = "https://other.test"  keep_path = yes  keep_query = yes }
route "/one/{id}" { handler = redirect  to = "/x?a=1#b"  keep_path = yes  keep_query = yes }
route "/exact" { handler = redirect  to = "/x"  keep_path = yes }
route "/below/" { handler = redirect  to = "/x" }
route "/fragment" { handler = redirect  to = "/x?q='&r"  status = 301 }
"""


@pytest.fixture
def server(start, tmp_path):
    (tmp_path / "redirect.conf").write_text(ROUTES)
    return start("-c", tmp_path / "redirect.conf", workers=1)


@pytest.mark.smoke
@pytest.mark.parametrize("target, location", [
    ("/plain", "/hello"),
    ("/plain?x=1", "/hello"),
    ("/old/", "/new"),
    ("/old/?x=1&y=%20", "/new?x=1&y=%20"),
    ("/old/?", "/new"),
    ("/old/a/b%2Fc%20d/?q", "/new/a/b%2Fc%20d/?q"),
    ("http://zombie.test/old/a?b", "/new/a?b"),
    ("/all/a/b", "/a/b"),
    ("/all/", "/"),
    ("/away/a?b", "https://other.test/a?b"),
    ("/away/", "https://other.test"),
    ("/away/@evil.test/", "https://other.test/@evil.test/"),
    ("/away/.evil.test", "https://other.test/.evil.test"),
    ("/one/7", "/x/7?a=1#b"),
    ("/one/7?c=2", "/x/7?a=1&c=2#b"),
    ("/exact", "/x"),
    ("/below/a", "/x"),
])  # fmt: skip
def test_location(server, target, location):
    assert server.fetch(target).headers["location"] == location


@pytest.mark.parametrize("target", [
    "/all/%2Fevil.test", "/all/%5Cevil.test", "/all/%2F%2Fevil.test", "/all/%0d%0aX-Evil:%20yes",
    "/all/%09/evil.test", "/all//evil.test", "/all/\\evil.test", "/all/.//evil.test",
    "/all/..//evil.test", "/all/%2e%2e//evil.test", "/all///evil.test", "/all/@evil.test",
    "/all/x/..//evil.test", "/all/%00", "//evil.test/all/", "/all/%2e/%2fevil.test",
])  # fmt: skip
def test_path_leads_to_no_other_host_and_into_no_other_header(server, target):
    with server.connect() as connection:
        response = connection.request(target)
    assert "x-evil" not in response.headers
    location = response.headers.get("location", "/")
    assert location.startswith("/") and location[1:2] not in ("/", "\\")
    assert location.isascii() and location.isprintable() and " " not in location


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_status_is_the_chosen_one(start, tmp_path, status):
    (tmp_path / "x.conf").write_text(
        f'route "/x" {{ handler = redirect  to = "/y"  status = {status} }}'
    )
    server = start("-c", tmp_path / "x.conf", workers=1)
    with server.connect() as connection:
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]:
            body = b"x" if method not in ("GET", "HEAD") else b""
            response = connection.request("/x", method, body=body)
            assert (response.status, response.headers["location"]) == (status, "/y")


@pytest.mark.valgrind
def test_page_links_to_the_location(server):
    response = server.fetch("/fragment")
    assert response.status == 301
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text == '<a href="/x?q=&#39;&amp;r">Moved Permanently</a>.\n'


def test_head_and_other_methods_have_no_page(server):
    with server.connect() as connection:
        get = connection.request("/plain")
        head = connection.request("/plain", "HEAD")
        post = connection.request("/plain", "POST", body=b"x")
        assert connection.request("/hello").status == 200
    assert head.headers["content-length"] == get.headers["content-length"]
    assert (post.body, post.headers["content-length"]) == (b"", "0")
    assert "content-type" not in post.headers


@pytest.mark.parametrize("to", [
    "x", "//evil.test", "/a b", "/a\\\\b", "ftp://a/", "http:///a", "http://a@b/", "/a\\r\\nB: c",
    "/좀비", "javascript:alert(1)",
])  # fmt: skip
def test_bad_target_is_a_configuration_error(run, tmp_path, to):
    path = tmp_path / "bad.conf"
    path.write_text(f'\nroute "/x" {{\n  handler = redirect\n  to = "{to}"\n}}\n')
    result = run("-t", "-c", path)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(f'{path}:2: route "/x": to: ')


@pytest.mark.parametrize("keys, what", [
    ("", "to is missing"),
    ('to = ""', "to: the value is empty"),
    ('to = "/x" status = 300', "status: '300' is not one of 301, 302, 303, 307, 308"),
    ('to = "/x" keep_path = some', "'some' is not yes or no"),
    ('to = "/' + "x" * 2048 + '"', "the value has 2049 bytes, it must have 1 to 2048"),
])  # fmt: skip
def test_bad_options_are_configuration_errors(run, tmp_path, keys, what):
    path = tmp_path / "bad.conf"
    path.write_text(f'route "/x" {{ handler = redirect {keys} }}\n')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert what in result.stderr
