"""A WSGI application as a peer; peers/gunicorn.py sets the environment."""
import os
from pathlib import Path

FILES = Path(os.environ["BENCH_FILES"])
TYPE = os.environ["BENCH_TYPE"]
BODY = os.environ["BENCH_BODY"].encode()


def send(start_response, status, body, media_type=TYPE):
    start_response(status, [("Content-Type", media_type), ("Content-Length", str(len(body)))])
    return [body]


def send_file(environ, start_response, name):
    try:
        file = open(FILES / os.path.basename(name), "rb")
    except OSError:
        return send(start_response, "404 Not Found", b"")
    start_response("200 OK", [("Content-Type", "application/octet-stream"),
                              ("Content-Length", str(os.fstat(file.fileno()).st_size))])
    return environ["wsgi.file_wrapper"](file)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/files/"):
        return send_file(environ, start_response, path)
    if path == "/upload":
        environ["wsgi.input"].read()
    elif path != "/hello":
        return send(start_response, "404 Not Found", b"")
    return send(start_response, "200 OK", BODY)
