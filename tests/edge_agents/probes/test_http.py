"""The HTTP probe, against servers that are right, wrong and hostile."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from campuswatch.errors import UserError
from tests.edge_agents.probes.trying import bad, good
from tests.servers import free_port

DAY = 86400
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    tasks: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return handler


OK = says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def secured(authority: trustme.CA, left: dt.timedelta) -> ssl.SSLContext:
    expires = dt.datetime.now(dt.UTC) + left
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate = authority.issue_cert(
        "localhost", not_before=expires - dt.timedelta(90), not_after=expires
    )
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


async def test_a_page_and_its_phases() -> None:
    async with serving(OK) as port:
        fields = await good("http", url=f"http://localhost:{port}/")
    assert fields["status"] == 200
    phases = sum(fields[name] for name in ("dns_time", "connect_time", "first_byte_time"))
    assert 0 < phases <= fields["duration"]
    assert not fields.keys() & {"tls_time", "certificate_left"}


async def test_a_trusted_certificate_and_how_long_it_is_good(
    authority: trustme.CA, ca_file: str
) -> None:
    async with serving(OK, secured(authority, dt.timedelta(20))) as port:
        fields = await good("http", url=f"https://localhost:{port}/", ca_file=ca_file)
    assert fields["tls_time"] > 0
    assert fields["certificate_left"] == pytest.approx(20 * DAY, abs=60)


async def test_a_certificate_of_nobody_known(authority: trustme.CA) -> None:
    async with serving(OK, secured(authority, dt.timedelta(20))) as port:
        fields = await bad("http", url=f"https://localhost:{port}/")
    assert fields["reason"].startswith("certificate: ")
    assert fields["certificate_left"] == pytest.approx(20 * DAY, abs=60)


async def test_an_expired_certificate(authority: trustme.CA, ca_file: str) -> None:
    async with serving(OK, secured(authority, dt.timedelta(-3))) as port:
        fields = await bad("http", url=f"https://localhost:{port}/", ca_file=ca_file)
    assert fields["reason"] == "certificate: certificate has expired"
    assert fields["certificate_left"] == pytest.approx(-3 * DAY, abs=60)


async def test_a_certificate_of_another_host(authority: trustme.CA, ca_file: str) -> None:
    async with serving(OK, secured(authority, dt.timedelta(20))) as port:
        fields = await bad("http", url=f"https://127.0.0.1:{port}/", ca_file=ca_file)
    assert "127.0.0.1" in fields["reason"]


async def test_an_error_of_the_server_unless_it_is_expected() -> None:
    async with serving(says(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")) as port:
        url = f"http://localhost:{port}/"
        fields = await bad("http", url=url)
        assert fields["reason"] == "the answer is 401"
        assert fields["status"] == 401
        await good("http", url=url, status=[401])


async def test_nobody_there() -> None:
    fields = await bad("http", url=f"http://127.0.0.1:{free_port()}/")
    assert fields["reason"] == "Connection refused"


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(65536))
        await writer.drain()


async def test_a_page_without_an_end_is_read_in_part() -> None:
    async with serving(_endless) as port:
        fields = await good("http", url=f"http://127.0.0.1:{port}/", timeout="10s")
    assert fields["status"] == 200


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"H")
        await writer.drain()
        await asyncio.sleep(0.1)


async def _endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


@pytest.mark.parametrize(
    "handler", [_drips, _endless_header, says(b""), says(b"\x00\xff" * 100), says(b"SSH-2.0-x\r\n")]
)
async def test_what_is_no_web_server_is_a_failure_with_a_reason(handler: Handler) -> None:
    async with serving(handler) as port:
        fields = await bad("http", url=f"http://127.0.0.1:{port}/", timeout="1s")
    assert "status" not in fields


async def test_certificates_that_can_t_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="probe p: ca_file"):
        await good("http", url="https://localhost/", ca_file=str(tmp_path / "missing.pem"))
