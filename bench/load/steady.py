"""A steady load that accounts for every request: so many a second, whatever becomes of them.

Every other request comes on a connection of its own, the others on connections that are kept;
those that the server has closed while nothing was asked on them are replaced, as any client
does. A request is lost unless its whole answer, the right one, is there within DEADLINE_S.
When this process does not get its share of a CPU, what it should have asked meanwhile is left
out, and lag_ms tells how long that was at most: what was lost then may have been its own fault.
"""
import asyncio
import collections
import socket
import time

from load import client

DEADLINE_S = 2
KEPT = 16
LAG_S = 0.05    # less than that is made up for
FAIR_MS = 200   # with more lag nobody is to blame


class Account:
    """What became of the requests."""

    def __init__(self):
        self.sent = self.answered = 0
        self.lost = collections.Counter()  # by kind
        self.times = []                    # (when it was sent, ms until its answer was there)
        self.lag_ms = 0

    def lost_in_all(self):
        return sum(self.lost.values())

    def faults(self, allowed):
        """What was lost in another way than these, unless we have been too slow ourselves."""
        if self.lag_ms > FAIR_MS:
            return {}
        return {kind: count for kind, count in self.lost.items() if kind not in allowed}

    def add(self, other):
        """Take in what became of others."""
        self.sent += other.sent
        self.answered += other.answered
        self.lost += other.lost
        self.lag_ms = max(self.lag_ms, other.lag_ms)

    def between(self, begin, end):
        """Milliseconds of the answers to what was sent in that time."""
        return [ms for when, ms in self.times if begin <= when <= end]


def still_open(connection):
    """Whether a connection on which nothing is to come may be used again."""
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


async def receive(connection):
    data = await asyncio.get_running_loop().sock_recv(connection, 1 << 16)
    if not data:
        raise EOFError("closed before the answer was complete")
    return data


async def answer(connection, body):
    """What comes to a request: (None or how it is lost, whether the connection stays)."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += await receive(connection)
    head, _, got = data.partition(b"\r\n\r\n")
    fields = head.lower() + b"\r\n"
    length = int(fields.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    while len(got) < length:
        got += await receive(connection)
    status = int(head.split(None, 2)[1])
    if status >= 500:
        kind = "5xx"
    else:
        kind = None if status == 200 and body in (None, got) else "wrong"
    return kind, b"\r\nconnection: close" not in fields


class Steady:
    """The load, from entering it until its end: `async with Steady(...) as account`.

    body: what each answer must have, None for anything. patience_s: how long to wait for
    an answer, which is late after DEADLINE_S. kept: whether half of it keeps connections.
    """

    def __init__(self, port, path, rate, body=None, patience_s=DEADLINE_S, kept=True):
        self.port, self.rate, self.body, self.patience_s = port, rate, body, patience_s
        self.once = client.head(path, close=True)
        self.again = client.head(path) if kept else None
        self.idle = collections.deque()
        self.account = Account()
        self.requests = set()

    async def __aenter__(self):
        self.idle.extend([await self.connect() for _ in range(KEPT if self.again else 0)])
        self.over = False
        self.pacer = asyncio.create_task(self.pace())
        return self.account

    async def __aexit__(self, *_):
        self.over = True
        await self.pacer
        if self.requests:
            await asyncio.wait(self.requests)
        for connection in self.idle:
            connection.close()

    async def connect(self):
        """On loopback that is done at once, or as soon as the server's queue has room."""
        connection = socket.socket()
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        except BaseException:
            connection.close()
            raise
        return connection

    async def pace(self):
        due = time.perf_counter()
        while not self.over:
            now = time.perf_counter()
            self.account.lag_ms = max(self.account.lag_ms, (now - due) * 1000)
            due = max(due, now - LAG_S)
            while due <= now:
                self.send()
                due += 1 / self.rate
            await asyncio.sleep(due - time.perf_counter())

    def send(self):
        self.account.sent += 1
        keep = self.again is not None and self.account.sent % 2 == 0
        task = asyncio.create_task(self.one(keep))
        self.requests.add(task)
        task.add_done_callback(self.requests.discard)

    async def one(self, keep):
        begin = time.perf_counter()
        try:
            kind = await asyncio.wait_for(self.kept() if keep else self.fresh(), self.patience_s)
        except asyncio.TimeoutError:
            kind = "timeout"
        except ConnectionRefusedError:
            kind = "refused"
        except EOFError:
            kind = "closed"
        except OSError:
            kind = "reset"
        except (ValueError, IndexError):
            kind = "wrong"
        elapsed = time.perf_counter() - begin
        if kind is None and elapsed > DEADLINE_S:
            kind = "late"
        if kind:
            self.account.lost[kind] += 1
        else:
            self.account.answered += 1
            self.account.times.append((begin, elapsed * 1000))

    async def fresh(self):
        connection = await self.connect()
        try:
            connection.send(self.once)
            return (await answer(connection, self.body))[0]
        finally:
            connection.close()

    async def kept(self):
        connection = self.idle.popleft() if self.idle else await self.connect()
        if not still_open(connection):
            connection.close()
            connection = await self.connect()
        stays = False
        try:
            connection.send(self.again)
            kind, stays = await answer(connection, self.body)
            return kind
        finally:
            if stays:
                self.idle.append(connection)
            else:
                connection.close()
