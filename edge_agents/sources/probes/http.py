"""A page, fetched by HTTP or HTTPS, with the time that each phase takes."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import ssl
from collections.abc import Iterator
from typing import Any, Final

import httpx
from cryptography import x509

from campuswatch.errors import UserError
from campuswatch.inventory.models import HttpProbe
from edge_agents.sources.probes.base import Fields, ProbeFailedError
from edge_agents.sources.reachability import resolve

_MOST: Final = 1_000_000  # bytes read of a page
_PHASES: Final = {
    "connection.connect_tcp": "connect_time",
    "connection.start_tls": "tls_time",
    "http11.receive_response_headers": "first_byte_time",
}
"""Of httpcore's trace events."""


def trust(probe: HttpProbe) -> ssl.SSLContext:
    """Return what tells good certificates from bad ones.

    Raises:
        UserError: the probe's certificates can't be read.
    """
    try:
        return ssl.create_default_context(cafile=probe.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UserError(f"probe {probe.id}: ca_file {probe.ca_file}: {error.strerror}") from None


class _Stopwatch:
    """Takes httpcore's trace events, and keeps how long each phase took."""

    def __init__(self) -> None:
        self.fields: Fields = {}
        self._clock = asyncio.get_running_loop().time
        self._began: dict[str, float] = {}

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        phase, _, stage = event.rpartition(".")
        if stage == "started":
            self._began[phase] = self._clock()
        elif stage == "complete" and phase in _PHASES:
            self.fields[_PHASES[phase]] = self._clock() - self._began[phase]
        if event == "connection.start_tls.complete":
            secured: ssl.SSLObject = info["return_value"].get_extra_info("ssl_object")
            self.fields["certificate_left"] = _left(secured)


async def measure(probe: HttpProbe, trusted: ssl.SSLContext) -> Fields:
    """Return status, how long each phase took, and how long the certificate is good.

    Raises:
        ProbeFailedError: there is no answer, or not one that is well.
        UnresolvableError: the host has no address.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    url = httpx.URL(probe.url)
    address = await resolve(url.host)
    watch = _Stopwatch()
    watch.fields["dns_time"] = clock() - began
    try:
        status = await _fetch(probe, address, trusted, watch)
    except httpx.HTTPError as error:
        distrust = next((one for one in _causes(error) if isinstance(one, _DISTRUST)), None)
        if distrust is None:
            raise ProbeFailedError(failure(error), watch.fields) from None
        watch.fields["certificate_left"] = await _distrusted(url, address)
        reason = f"certificate: {distrust.verify_message}"
        raise ProbeFailedError(reason, watch.fields) from None
    fields = watch.fields | {"status": status, "duration": clock() - began}
    if status not in (probe.status or range(100, 400)):
        raise ProbeFailedError(f"the answer is {status}", fields)
    return fields


_DISTRUST: Final = ssl.SSLCertVerificationError


async def _fetch(probe: HttpProbe, address: str, trusted: ssl.SSLContext, watch: _Stopwatch) -> int:
    url, timeout = httpx.URL(probe.url), probe.timeout.total_seconds()
    async with (
        httpx.AsyncClient(verify=trusted, trust_env=False, timeout=timeout) as client,
        client.stream(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), "User-Agent": "campuswatch"},
            extensions={"trace": watch, "sni_hostname": url.host},
        ) as response,
    ):
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > _MOST:
                break
        return response.status_code


def failure(error: httpx.HTTPError) -> str:
    """Return why a request failed, as the operating system says it if it does."""
    codes = [one.errno for one in _causes(error) if isinstance(one, OSError) and one.errno]
    return os.strerror(codes[-1]) if codes else str(error) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def _distrusted(url: httpx.URL, address: str) -> float | None:
    """Return how long a certificate that is not trusted would be good; None if it is not shown."""
    blind = ssl.create_default_context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(
            address, url.port or 443, ssl=blind, server_hostname=url.host
        )
    except OSError:
        return None
    try:
        return _left(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


def _left(secured: ssl.SSLObject) -> float | None:
    """Return for how many seconds the other side's certificate is good."""
    encoded = secured.getpeercert(binary_form=True)
    if encoded is None:
        return None
    expires = x509.load_der_x509_certificate(encoded).not_valid_after_utc
    return (expires - dt.datetime.now(dt.UTC)).total_seconds()
