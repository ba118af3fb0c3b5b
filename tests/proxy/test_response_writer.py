from __future__ import annotations

import pytest

from policy.exchange import Response
from policy.fields import Fields
from proxy.http1.request_head import RequestHead
from proxy.http1.response_head import UNTIL_CLOSE
from proxy.message import InjectedLine
from proxy.response_writer import ResponseWriter

DATE = ("Date", "now")


class Client:
    """Takes what is written."""

    def __init__(self, *, keeps_alive: bool = True) -> None:
        self.keeps_alive = keeps_alive
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


def asked(method: str = "GET", version: str = "HTTP/1.1") -> RequestHead:
    return RequestHead(method, "/", version, Fields(), "a.test", 0)


def response(*lines: tuple[str, str], status: int = 200) -> Response:
    return Response(status, Fields(lines), "OK")


def dated() -> str:
    return DATE[1]


def written(head: RequestHead, made: Response, length: int, body: bytes) -> tuple[bytes, Client]:
    client = Client()
    ResponseWriter(client, head, length, body, ended=True).begin(made, dated)
    return client.written, client


def test_nothing_is_written_before_the_head_is_decided_on() -> None:
    client = Client()
    writer = ResponseWriter(client, asked(), 6, b"ab", ended=False)
    writer.hold(b"cd", ended=False)
    writer.hold(b"ef", ended=True)
    assert (client.written, writer.has_begun, writer.ended) == (b"", False, True)
    writer.begin(response(), dated)
    assert client.written.endswith(b"Content-Length: 6\r\n\r\nabcdef")
    assert (writer.has_begun, writer.content_bytes, writer.keeps_alive) == (True, 6, True)


def test_an_unknown_size_is_chunked() -> None:
    client = Client()
    writer = ResponseWriter(client, asked(), UNTIL_CLOSE, b"ab", ended=False)
    writer.begin(response(DATE), dated)
    writer.content(b"", ended=False)
    writer.content(b"c", ended=True, trailers=(("X-Sum", "1"),))
    head, _, body = client.written.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked"
    assert body == b"2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 1\r\n\r\n"


def test_an_old_client_gets_an_unknown_size_until_the_connection_ends() -> None:
    client = Client()
    writer = ResponseWriter(client, asked(version="HTTP/1.0"), UNTIL_CLOSE, b"ab", ended=False)
    writer.begin(response(DATE), dated)
    assert not writer.keeps_alive
    assert client.written == b"HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nab"


def test_an_old_client_gets_the_size_of_what_is_all_there() -> None:
    data, _ = written(asked(version="HTTP/1.0"), response(DATE), UNTIL_CLOSE, b"ab")
    assert b"Content-Length: 2\r\n" in data


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)], ids=["head", "204", "304"]
)
def test_what_has_no_body_gets_none(method: str, status: int) -> None:
    data, _ = written(asked(method), response(DATE, status=status), 2, b"ab")
    assert data.endswith(b"\r\n\r\n")
    assert (b"Content-Length: 2\r\n" in data) is (status != 204)


def test_a_client_that_is_to_go_is_told_so() -> None:
    client = Client(keeps_alive=False)
    writer = ResponseWriter(client, asked(), 0, b"", ended=True)
    writer.begin(response(DATE), dated)
    assert b"Connection: close\r\n" in client.written
    assert not writer.keeps_alive


def test_whatever_else_says_something_about_framing_is_not_believed() -> None:
    lines = (DATE, ("Content-Length", "9"), ("Transfer-Encoding", "gzip"), ("Connection", "x"))
    data, _ = written(asked(), response(*lines), 2, b"ab")
    assert data == b"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nab"


def test_of_a_line_that_was_injected_nothing_is_written() -> None:
    client = Client()
    writer = ResponseWriter(client, asked(), 2, b"ab", ended=True)
    with pytest.raises(InjectedLine):
        writer.begin(response(("X-A", "b\r\nSet-Cookie: c")), dated)
    with pytest.raises(InjectedLine):
        writer.switch(response(("X-A", "b\nc"), status=101))
    assert (client.written, writer.has_begun) == (b"", False)


def test_a_switch_has_the_upgrade_of_its_own() -> None:
    client = Client()
    writer = ResponseWriter(client, asked(), 0, b"", ended=False)
    writer.switch(response(("Connection", "x"), ("X-A", "b"), status=101))
    assert client.written == (
        b"HTTP/1.1 101 OK\r\nX-A: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
