"""Which route answers a request: the rules of Go's ServeMux, through the real server."""

import pytest

from lib.client import render


@pytest.fixture
def serve(start, tmp_path):
    """Start a server with these routes: patterns that answer who they are, or pieces of a file."""

    def begin(*routes, **options):
        (tmp_path / "routes.conf").write_text("".join(
            route if "{ " in route else
            f'route "{route}" {{ handler = json  headers = {{ "X-Route: {route}" }} }}\n'
            for route in routes
        ))  # fmt: skip
        return start("-c", tmp_path / "routes.conf", workers=1, **options)

    return begin


def route_of(response):
    return response.headers.get("x-route") if response.status == 200 else response.status


def allowed(response):
    return set(response.headers["allow"].replace(" ", "").split(","))


# Which pattern


PATTERNS = [
    "/",
    "/a",
    "/a/",
    "/a/{$}",
    "/a/{x}",
    "/a/b",
    "/a/b/{$}",
    "GET /a/b/c",
    "/a/{x}/c",
    "/a/{x}/{y...}",
    "host.test/",
    "host.test/a/{x}",
    "POST host.test/a/b",
]


@pytest.mark.smoke
@pytest.mark.valgrind
@pytest.mark.parametrize("patterns", [PATTERNS, PATTERNS[::-1]], ids=["general first", "last"])
def test_most_specific_pattern_wins_whatever_the_order(serve, patterns):
    server = serve(*patterns)
    rows = [
        ("GET", "x.test", "/z", "/"),
        ("GET", "x.test", "/z/z/", "/"),
        ("GET", "x.test", "/a", "/a"),
        ("GET", "x.test", "/a/", "/a/{$}"),
        ("GET", "x.test", "/a/z", "/a/{x}"),
        ("GET", "x.test", "/a/b", "/a/b"),
        ("GET", "x.test", "/a/b/", "/a/b/{$}"),
        ("GET", "x.test", "/a/b/c", "GET /a/b/c"),
        ("HEAD", "x.test", "/a/b/c", "GET /a/b/c"),
        ("POST", "x.test", "/a/z/c", "/a/{x}/c"),
        ("GET", "x.test", "/a/z/d/e", "/a/{x}/{y...}"),
        ("GET", "x.test", "/a/z/", "/a/{x}/{y...}"),
        ("GET", "host.test", "/", "host.test/"),
        ("GET", "host.test", "/a/b/c", "host.test/"),
        ("GET", "host.test", "/a/b", "host.test/a/{x}"),
        ("POST", "host.test", "/a/b", "POST host.test/a/b"),
        ("GET", "HOST.test:8080", "/a/b", "host.test/a/{x}"),
        ("GET", "host.test.", "/a/b", "host.test/a/{x}"),
        ("GET", "sub.host.test", "/a/b", "/a/b"),
    ]
    with server.connect() as connection:
        for method, host, path, pattern in rows:
            length = {"Content-Length": "0"} if method == "POST" else {}
            response = connection.request(path, method, {"Host": host, **length})
            assert (method, host, path, route_of(response)) == (method, host, path, pattern)


def test_host_of_an_absolute_target_counts(serve):
    server = serve("/", "host.test/")
    with server.connect() as connection:
        response = connection.request("http://host.test/x", headers={"Host": "host.test"})
        assert route_of(response) == "host.test/"


@pytest.mark.parametrize("target, params", [
    ("/u/7/f/", {"id": "7", "rest": ""}),
    ("/u/7/f/x/y", {"id": "7", "rest": "x/y"}),
    ("/u/%37/f/x%2Fy/%20", {"id": "7", "rest": "x/y/ "}),
    ("/u/a%2Fb/f/c", {"id": "a/b", "rest": "c"}),
    ("/u/%EC%A2%80/f/+", {"id": "좀", "rest": "+"}),
    ("/u/a%2Fb", {"id": "a/b"}),
])  # fmt: skip
def test_wildcards_are_decoded(serve, target, params):
    response = serve("/u/{id}/f/{rest...}", "/u/{id}").fetch(target)
    assert (response.status, response.json["params"]) == (200, params)


def test_wildcard_takes_one_segment_that_is_not_empty(serve):
    server = serve("/u/{id}")
    assert route_of(server.fetch("/u/a")) == "/u/{id}"
    assert route_of(server.fetch("/u/")) == 404
    assert route_of(server.fetch("/u/a/")) == 404
    assert route_of(server.fetch("/u/a/b")) == 404


def test_dollar_is_the_path_itself(serve):
    server = serve("/dir/{$}")
    assert route_of(server.fetch("/dir/")) == "/dir/{$}"
    assert route_of(server.fetch("/dir/x")) == 404
    assert server.fetch("/dir").headers.get("location") == "/dir/"


def test_case_and_escapes_of_paths(serve):
    server = serve("/Path/{$}")
    assert route_of(server.fetch("/%50ath/")) == "/Path/{$}"
    assert route_of(server.fetch("/path/")) == 404
    assert route_of(server.fetch("/Path%2F")) == 404


# What the configuration says


CONFLICTS = [
    ("/a/{x}/c", "/a/b/{y}"),
    ("/{x}", "/{y}"),
    ("GET /{x}", "/a"),
    ("/x/{rest...}", "/x/"),
    ("h.test/{a}", "h.test/{b}"),
]


@pytest.mark.smoke
@pytest.mark.parametrize("one, other", CONFLICTS)
def test_conflict_is_an_error_that_shows_both_patterns(run, tmp_path, one, other):
    path = tmp_path / "zombie.conf"
    path.write_text("\n".join(["", *(f'route "{p}" {{ handler = json }}' for p in (one, other))]))
    result = run("-t", "-c", path)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(f'{path}:3: route "{other}" conflicts with route "{one}" ')
    assert f"{path}:2" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("pattern", [
    "", "a", "GET", "GET a", "BREW /a", "get /a", "/{", "/{}", "/{x", "/{x}y", "/{x...}/y", "/a b",
    "/{x}/{x}", "/{$}/a", "/a//b", "/a/../b", "/%zz", "h:80/a", "CONNECT /a",
])  # fmt: skip
def test_bad_pattern_is_an_error_with_its_place(run, tmp_path, pattern):
    path = tmp_path / "zombie.conf"
    path.write_text(f'\nroute "{pattern}" {{ handler = json }}\n')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f'{path}:2: ')


def test_built_in_routes_give_way_to_conflicting_ones(serve):
    server = serve("GET /hello", "/healthchec%6B", "/{rest...}")
    assert route_of(server.fetch("/hello")) == "GET /hello"
    assert route_of(server.fetch("/healthcheck")) == "/healthchec%6B"
    assert route_of(server.fetch("/")) == "/{rest...}"
    assert route_of(server.fetch("/hello", "DELETE")) == "/{rest...}"


@pytest.mark.parametrize("pattern", ["GET /", "GET /{any}", "GET /{rest...}"])
def test_built_in_routes_stay_beside_others_of_one_method(serve, pattern):
    server = serve(pattern)
    assert server.fetch("/hello").text == "Hello from a zombie.\n"
    assert server.fetch("/healthcheck").status == 200
    assert route_of(server.fetch("/other")) == pattern


def test_method_that_the_handler_never_takes_is_an_error(run, tmp_path):
    path = tmp_path / "zombie.conf"
    path.write_text('\nroute "POST /p" { handler = identity }\n')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert result.stderr == f'{path}:2: route "POST /p": handler identity takes GET, HEAD only\n'


def test_built_in_routes_stay_beside_others(serve):
    server = serve("/", "/{any}")
    assert server.fetch("/hello").text == "Hello from a zombie.\n"
    assert route_of(server.fetch("/other")) == "/{any}"
    assert route_of(server.fetch("/a/b")) == "/"


# Redirects


def test_subtree_without_its_slash_is_redirected(serve):
    server = serve("/dir/", "POST /post/", "/dir/exact")
    with server.connect() as connection:
        for target, method, status, location in [
            ("/dir", "GET", 301, "/dir/"),
            ("/dir?a=b%20&c", "GET", 301, "/dir/?a=b%20&c"),
            ("/dir?", "HEAD", 301, None),
            ("/dir?x", "POST", 308, "/dir/?x"),
            ("/dir", "DELETE", 308, "/dir/"),
            ("/%64ir", "GET", 301, "/%64ir/"),
            ("/post", "POST", 308, "/post/"),
            ("/post", "GET", 405, None),
            ("/dir/exact/", "GET", 200, None),
        ]:
            body = b"x" if method in ("POST", "DELETE") else b""
            response = connection.request(target, method, body=body)
            assert (target, method, response.status) == (target, method, status)
            if location:
                assert response.headers["location"] == location


def test_there_is_no_slash_redirect_past_a_route(serve):
    server = serve("/dir/", "/dir")
    assert route_of(server.fetch("/dir")) == "/dir"
    assert route_of(server.fetch("/dir/")) == "/dir/"


@pytest.mark.parametrize("target, location", [
    ("//a", "/a"),
    ("/a//", "/a/"),
    ("/a/./b", "/a/b"),
    ("/a/../a/b", "/a/b"),
    ("/../../a", "/a"),
    ("/a/b/..", "/a"),
    ("/a/.", "/a"),
    ("/a/b/../", "/a/"),
    ("/a/%2e%2e/a", "/a"),
    ("/a/%2E/b?x=1&y=//..", "/a/b?x=1&y=//.."),
    ("/a///b%2Fc", "/a/b%2Fc"),
    ("//evil.test/..//a", "/a"),
])  # fmt: skip
@pytest.mark.parametrize("method, status", [("GET", 301), ("PUT", 308)])
def test_untidy_path_is_redirected_to_the_tidy_one(serve, target, location, method, status):
    server = serve("/a", "/a/")
    response = server.fetch(target, method, body=b"x" if method == "PUT" else b"")
    assert (response.status, response.headers["location"]) == (status, location)


@pytest.mark.parametrize("target", ["//nowhere", "/nowhere/../..", "/a/../nowhere"])
def test_untidy_path_to_nowhere_is_not_found(serve, target):
    assert serve("/a").fetch(target).status in (404, 301 if target == "/nowhere/../.." else 404)


@pytest.mark.parametrize("target", ["/a..b", "/...", "/.a", "/a%2F..%2Fb", "/a./b."])
def test_dots_in_names_are_names(serve, target):
    assert route_of(serve("/{any...}").fetch(target)) == "/{any...}"


def test_redirect_never_names_another_host(serve):
    server = serve("/")
    for target in ["//evil.test", "//evil.test/..", "/\\evil.test/..", "/.//evil.test", "///x",
                   "/x/..//evil.test", "/%2F..//evil.test", "//%0d%0aX-Evil:x"]:  # fmt: skip
        response = server.fetch(target)
        location = response.headers.get("location", "/")
        assert location.startswith("/") and location[1:2] not in ("/", "\\"), target
        assert "x-evil" not in response.headers


# Methods


def test_get_route_takes_head(serve):
    server = serve("GET /only")
    with server.connect() as connection:
        get = connection.request("/only")
        head = connection.request("/only", "HEAD")
        assert (head.status, head.headers["x-route"]) == (200, "GET /only")
        # The body names the method.
        assert int(head.headers["content-length"]) == len(get.body) + 1
        assert connection.request("/only", "POST", body=b"x").status == 405
        assert connection.request("/only").status == 200


def test_methods_share_a_path(serve):
    server = serve("GET /m", "POST /m", "DELETE /m")
    for method in ["GET", "HEAD", "POST", "DELETE"]:
        pattern = "GET /m" if method == "HEAD" else f"{method} /m"
        assert route_of(server.fetch("/m", method, {"Content-Length": "0"})) == pattern
    response = server.fetch("/m", "PUT", body=b"x")
    assert response.status == 405
    assert allowed(response) == {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}


def test_method_that_a_handler_lacks_is_405_with_the_others(serve):
    server = serve('route "/t" { handler = identity }')
    response = server.fetch("/t", "PATCH", body=b"x")
    assert (response.status, allowed(response)) == (405, {"GET", "HEAD", "OPTIONS"})


def test_options_is_answered_with_the_methods(serve):
    server = serve("GET /m", "POST /m", "/any")
    with server.connect() as connection:
        response = connection.request("/m", "OPTIONS")
        assert (response.status, response.body) == (204, b"")
        assert allowed(response) == {"GET", "HEAD", "POST", "OPTIONS"}
        assert "content-length" not in response.headers
        response = connection.request("/any", "OPTIONS")
        assert allowed(response) == {
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
        }  # fmt: skip
        assert connection.request("/nowhere", "OPTIONS").status == 404


def test_options_of_everything(serve):
    server = serve("/")
    with server.connect() as connection:
        response = connection.request("*", "OPTIONS")
        assert (response.status, response.body) == (204, b"")
        assert {"GET", "HEAD", "OPTIONS"} <= allowed(response)
        assert connection.request("/x").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_asterisk_is_for_options_only(serve, method):
    response = serve("/").fetch("*", method, {"Content-Length": "0"} if method == "POST" else {})
    assert response.status in (400, 404)


# Hosts that are ours


@pytest.mark.parametrize("host, status", [
    ("a.test", 200), ("A.Test", 200), ("a.test:8080", 200), ("b.test", 200), ("a.test.", 200),
    ("c.test", 421), ("x.a.test", 421), ("a.test.evil", 421), ("127.0.0.1", 421),
])  # fmt: skip
def test_other_hosts_are_421(serve, host, status):
    server = serve('http { hosts = { "a.test", "b.test" } }')
    assert server.fetch("/hello", headers={"Host": host}).status == status
    assert server.fetch(f"http://{host}/hello", headers={"Host": host}).status == status


def test_request_for_another_host_ends_the_connection(start):
    server = start("http.hosts=a.test", workers=1)
    with server.connect() as connection:
        connection.send(render("/nowhere", headers={"Host": "b.test"}))
        response = connection.receive()
        assert (response.status, response.closes) == (421, True)
        assert connection.is_closed()
