"""A plain HTTP client that blocks: for answers that are looked at, not for load."""
import re
import socket

LIMIT_S = 20


def connect(port, source=None, limit_s=LIMIT_S):
    """A connection to a server on loopback; source is the address to come from."""
    connection = socket.socket()
    connection.settimeout(limit_s)
    if source:
        connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    return connection


def head(path, close=False, length=None, media_type=None):
    """The bytes of a request up to its body; a POST if it has a length."""
    lines = [f"{'GET' if length is None else 'POST'} {path} HTTP/1.1", "Host: bench"]
    if close:
        lines.append("Connection: close")
    if length is not None:
        lines += [f"Content-Type: {media_type}", f"Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def receive(connection):
    data = connection.recv(1 << 18)
    if not data:
        raise ConnectionError("closed before the answer was complete")
    return data


def answer(connection):
    """One answer: (status, body). Its end is told by its length, its chunks or the close."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    headers, body = data.split(b"\r\n\r\n", 1)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", headers)
    chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", headers)
    parts = [body]
    size = len(body)
    while not (size >= int(length[1]) if length else chunked and parts[-1].endswith(b"0\r\n\r\n")):
        parts.append(receive(connection))
        size += len(parts[-1])
    return int(headers.split()[1]), b"".join(parts)


def ask(port, path, body=None, media_type=None, limit_s=LIMIT_S):
    """One request on a connection of its own: (status, body)."""
    with connect(port, limit_s=limit_s) as connection:
        length = None if body is None else len(body)
        connection.sendall(head(path, True, length, media_type) + (body or b""))
        return answer(connection)
