"""SNMPv3 against net-snmp's agent, and against whoever stands in between."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from campuswatch.inventory.models import UserCredential
from edge_agents.sources.snmp.ber import BerError
from edge_agents.sources.snmp.contexts import ContextSession
from edge_agents.sources.snmp.credentials import UserAccess, access
from edge_agents.sources.snmp.errors import (
    SnmpAccessError,
    SnmpAuthError,
    SnmpError,
    SnmpTimeoutError,
)
from edge_agents.sources.snmp.opening import open_session
from edge_agents.sources.snmp.session import SYS_UP_TIME, GufoSession, SnmpSession, Value
from edge_agents.sources.snmp.usm import (
    DIGEST_SIZES,
    Flags,
    is_signed,
    read_header,
    read_report,
)
from tests.edge_agents.snmp.devices import session
from tests.servers import Server, running, snmpd

SYS_NAME: Final = "1.3.6.1.2.1.1.5.0"
NET_SNMP: Final = {
    "md5": "MD5",
    "sha1": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "des": "DES",
    "aes128": "AES",
    "aes192": "AES-192",
    "aes256": "AES-256",
    "aes192c": "AES-192-C",
    "aes256c": "AES-256-C",
}
"""How net-snmp calls the protocols."""
AUTH: Final = list(NET_SNMP)[:6]
PRIV: Final = list(NET_SNMP)[6:]
USERS: Final = [(auth, priv) for auth in AUTH for priv in [None, *PRIV]]


def config(users: list[tuple[str, str | None]]) -> str:
    lines = ["rocommunity public", "sysName snmpd-under-test", "createUser open"]
    lines.append("rouser open noauth")
    for auth, priv in users:
        keys = f'{NET_SNMP[auth]} "auth secret"'
        if priv:
            keys += f' {NET_SNMP[priv]} "priv secret"'
        lines.append(f"createUser {auth}{priv or ''} {keys}")
        lines.append(f"rouser {auth}{priv or ''} {'priv' if priv else 'auth'}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(snmpd(tmp_path_factory.mktemp("snmpd"), config(USERS))) as server:
        yield server


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH", "auth secret")
    monkeypatch.setenv("PRIV", "priv secret")
    monkeypatch.setenv("WRONG", "wrong secret")


def user(
    auth: str | None,
    priv: str | None,
    *,
    name: str = "",
    auth_key: str = "AUTH",
    priv_key: str = "PRIV",
    context: str = "",
) -> UserAccess:
    credential = UserCredential.model_validate(
        {
            "version": "3",
            "user": name or f"{auth or 'open'}{priv or ''}",
            "auth": auth,
            "auth_key": f"env:{auth_key}" if auth else None,
            "priv": priv,
            "priv_key": f"env:{priv_key}" if priv else None,
            "context": context,
        }
    )
    found = access(credential)
    assert isinstance(found, UserAccess)
    return found


def opened(port: int, who: UserAccess, *, timeout: float = 1, retries: int = 1) -> SnmpSession:
    return open_session("127.0.0.1", port, who, timeout=timeout, retries=retries)


async def ask(asked: SnmpSession) -> Value:
    try:
        return (await asked.get([SYS_NAME]))[SYS_NAME]
    finally:
        asked.close()


# --- net-snmp -----------------------------------------------------------------


@pytest.mark.parametrize(("auth", "priv"), [*USERS, (None, None)])
async def test_every_protocol(auth: str | None, priv: str | None, agent: Server) -> None:
    asked = opened(agent.port, user(auth, priv))
    assert await ask(asked) == b"snmpd-under-test"


async def test_a_walk_is_what_snmpv2c_sees(agent: Server) -> None:
    seen, expected = [
        {oid: value async for page in one.walk("1.3.6.1.2.1.1") for oid, value in page.varbinds}
        for one in (opened(agent.port, user("sha256", "aes128")), session(agent.port, timeout=2))
    ]
    assert {**seen, SYS_UP_TIME: 0} == {**expected, SYS_UP_TIME: 0}


WRONG: Final[list[tuple[dict[str, Any], type[SnmpError], str]]] = [
    ({"name": "nobody"}, SnmpAuthError, "'nobody': unknown user"),
    ({"auth_key": "WRONG"}, SnmpAuthError, "wrong authentication password"),
    ({"auth": "sha512"}, SnmpAuthError, "protocol is not sha512"),
    ({"priv_key": "WRONG"}, SnmpAuthError, "wrong privacy password"),
    ({"priv": "des"}, SnmpAuthError, "protocol is not des"),
    ({"name": "sha256"}, SnmpAuthError, "it has no keys for authPriv"),
    ({"priv": None}, SnmpAccessError, "read at level authNoPriv"),
    ({"priv": None, "auth": None}, SnmpAccessError, "read at level noAuthNoPriv"),
]


@pytest.mark.parametrize(("mistake", "error", "words"), WRONG)
async def test_a_mistake_in_a_credential_is_named(
    mistake: dict[str, Any], error: type[SnmpError], words: str, agent: Server
) -> None:
    wrong = {"name": "sha256aes128", "auth": "sha256", "priv": "aes128", **mistake}
    asked = opened(agent.port, user(wrong.pop("auth"), wrong.pop("priv"), **wrong), timeout=0.3)
    with pytest.raises(error, match=words):
        await ask(asked)


async def test_the_silence_of_an_agent_that_cannot_decrypt_is_looked_into_once(
    agent: Server,
) -> None:
    counts = []
    with running_relay(agent.port) as relay:
        who = user("sha256", "aes128", priv_key="WRONG")
        asked = opened(relay.port, who, timeout=0.3, retries=0)
        for _ in range(3):
            before = relay.requests
            with pytest.raises(SnmpAuthError, match="wrong privacy password"):
                await asked.get([SYS_UP_TIME])
            counts.append(relay.requests - before)
        asked.close()
    assert counts[0] > counts[1] == counts[2]


async def test_an_agent_that_restarts_is_asked_again(tmp_path: Path) -> None:
    with running(snmpd(tmp_path, config([("sha1", "aes128")]))) as server:
        asked = opened(server.port, user("sha1", "aes128"))
        await asked.get([SYS_UP_TIME])
        server.kill()
        server.start()
        assert await ask(asked) == b"snmpd-under-test"


async def test_an_agent_that_was_installed_anew_is_another_engine(tmp_path: Path) -> None:
    engines = [tmp_path / "before", tmp_path / "after"]
    port = 0
    asked: SnmpSession | None = None
    for directory in engines:
        directory.mkdir()
        engine = f"engineID {directory.name}\n"
        server = snmpd(directory, config([("sha1", "aes128")]) + engine, port or None)
        with running(server):
            port = server.port
            asked = asked or opened(port, user("sha1", "aes128"), timeout=2, retries=0)
            assert (await asked.get([SYS_NAME]))[SYS_NAME] == b"snmpd-under-test"
    assert asked is not None
    asked.close()


# --- contexts -----------------------------------------------------------------


@pytest.fixture(scope="module")
def with_context(agent: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An agent that has another one's system group in its context vlan-10."""
    proxy = (
        config([("sha256", "aes256c")]).replace("snmpd-under-test", "the-default-context")
        + "view all included .1\n"
        + "rouser sha256aes256c priv -V all *\n"
        + f"proxy -Cn vlan-10 -v2c -c public 127.0.0.1:{agent.port} .1.3.6.1.2.1.1\n"
    ).replace("rouser sha256aes256c priv\n", "")
    with running(snmpd(tmp_path_factory.mktemp("proxy"), proxy)) as server:
        yield server


async def test_a_context_is_another_view_of_the_device(with_context: Server, agent: Server) -> None:
    default = opened(with_context.port, user("sha256", "aes256c"))
    assert isinstance(default, GufoSession)
    assert await ask(default) == b"the-default-context"
    asked = opened(with_context.port, user("sha256", "aes256c", context="vlan-10"))
    assert isinstance(asked, ContextSession)
    assert await ask(asked) == b"snmpd-under-test"
    seen, expected = [
        {oid: value async for page in one.walk("1.3.6.1.2.1.1") for oid, value in page.varbinds}
        for one in (asked, session(agent.port, timeout=2))
    ]
    assert {**seen, SYS_UP_TIME: 0} == {**expected, SYS_UP_TIME: 0}
    asked.close()


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        ({"context": "vlan-11"}, SnmpTimeoutError, "no context 'vlan-11'"),
        ({"auth_key": "WRONG"}, SnmpAuthError, "(?i)wrong"),
        ({"name": "nobody"}, SnmpAuthError, "(?i)unknown"),
    ],
)
async def test_a_mistake_with_a_context_is_named(
    mistake: dict[str, str], error: type[SnmpError], words: str, with_context: Server
) -> None:
    who = user("sha256", "aes256c", **{"context": "vlan-10", **mistake})
    with pytest.raises(error, match=words):
        await ask(opened(with_context.port, who, timeout=0.5, retries=0))


# --- whoever stands in between ------------------------------------------------

Tamper = Callable[[bytes, bytes], list[bytes]]
"""What a request's sender gets for it and the agent's answer to it."""


class Relay:
    """Passes requests on to an agent, and back what `tamper` makes of the answers."""

    def __init__(self, agent_port: int) -> None:
        self.tamper: Tamper = lambda _request, answer: [answer]
        self.requests = 0
        self._agent = ("127.0.0.1", agent_port)
        self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server.bind(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with self._server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            while True:
                request, sender = self._server.recvfrom(65535)
                if not request:
                    return
                self.requests += 1
                client.sendto(request, self._agent)
                with contextlib.suppress(TimeoutError):
                    for answer in self.tamper(request, client.recv(65535)):
                        self._server.sendto(answer, sender)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.sendto(b"", self._server.getsockname())
        self._thread.join()


@contextlib.contextmanager
def running_relay(agent_port: int) -> Iterator[Relay]:
    relay = Relay(agent_port)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()


def is_discovery(request: bytes) -> bool:
    return not read_header(request).engine_id


def forged(request: bytes, answer: bytes, *, flags: int, digest: bytes) -> bytes:
    """Answer in plain text with a sysName of one's own, as anyone can who sees the request.

    The request-id is right if the request was not encrypted.
    """
    message, _ = decoder.decode(answer, asn1Spec=SNMPv3Message())
    usm, _ = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
    usm[4], usm[5] = digest, b""
    pdu = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    asked, _ = decoder.decode(request, asn1Spec=SNMPv3Message())
    if asked[3].getName() == "plaintext":
        v2c.apiPDU.set_request_id(pdu, int(asked[3]["plaintext"]["data"].getComponent()[0]))
    v2c.apiPDU.set_varbinds(pdu, [(tuple(map(int, SYS_NAME.split("."))), v2c.OctetString("evil"))])
    forgery = SNMPv3Message()
    forgery[0] = message[0]
    forgery[1] = message[1]
    forgery[1][0] = read_header(request).message_id
    forgery[1][2] = bytes([flags])
    forgery[2] = univ.OctetString(encoder.encode(usm))
    forgery[3]["plaintext"]["contextEngineId"] = bytes(usm[0])
    forgery[3]["plaintext"]["contextName"] = b""
    forgery[3]["plaintext"]["data"]["response"] = pdu
    encoded: bytes = encoder.encode(forgery)
    return encoded


def flip(at: int) -> Tamper:
    def tamper(_request: bytes, answer: bytes) -> list[bytes]:
        changed = bytearray(answer)
        changed[at] ^= 1
        return [bytes(changed)]

    return tamper


TAMPERING: Final[dict[str, Tamper]] = {
    "plain": lambda request, answer: [forged(request, answer, flags=0, digest=b"")],
    "claims to be signed": lambda request, answer: [
        forged(request, answer, flags=1, digest=bytes(24))
    ],
    "changed data": flip(-1),
    "changed digest": lambda _request, answer: [
        answer.replace(answer[read_header(answer).signature], bytes(24))
    ],
    "cut off": lambda _request, answer: [answer[:-4]],
    "noise": lambda _request, _answer: [b"noise", b"", b"\x30\x80\xff"],
}


@pytest.mark.parametrize("priv", [None, "aes128"])
@pytest.mark.parametrize("tamper", TAMPERING.values(), ids=list(TAMPERING))
async def test_an_answer_that_was_tampered_with_is_none(
    tamper: Tamper, priv: str | None, agent: Server
) -> None:
    with running_relay(agent.port) as relay:
        asked = opened(relay.port, user("sha256", priv), timeout=0.3, retries=0)
        assert (await asked.get([SYS_NAME]))[SYS_NAME] == b"snmpd-under-test"
        relay.tamper = tamper
        with pytest.raises(SnmpTimeoutError):
            await asked.get([SYS_NAME])
        relay.tamper = lambda request, answer: [*tamper(request, answer), answer]
        assert (await asked.get([SYS_NAME]))[SYS_NAME] == b"snmpd-under-test"
        asked.close()


async def test_an_unsigned_answer_is_named_as_the_reason(agent: Server) -> None:
    with running_relay(agent.port) as relay:
        relay.tamper = lambda request, answer: (
            [answer] if is_discovery(request) else [forged(request, answer, flags=0, digest=b"")]
        )
        with pytest.raises(SnmpTimeoutError, match="not signed and encrypted"):
            await ask(opened(relay.port, user("sha256", "aes128"), timeout=0.3, retries=0))


async def test_a_right_answer_to_an_earlier_request_answers_nothing(agent: Server) -> None:
    kept: list[bytes] = []

    def replays(_request: bytes, answer: bytes) -> list[bytes]:
        kept.append(answer)
        return [kept[-2]] if len(kept) > 3 else [answer]

    with running_relay(agent.port) as relay:
        relay.tamper = replays
        asked = opened(relay.port, user("sha256", "aes128"), timeout=0.3, retries=0)
        for _ in range(2):
            await asked.get([SYS_NAME])
        with pytest.raises(SnmpTimeoutError):
            await asked.get([SYS_NAME])
        asked.close()


async def test_a_port_where_nobody_listens_is_said_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(SnmpError, match="nothing listens"):
        await ask(opened(port, user("sha256", "aes128"), retries=0))


# --- messages -----------------------------------------------------------------


def captured(agent_port: int, who: UserAccess) -> list[bytes]:
    """Return the requests and answers of one question."""
    seen: list[bytes] = []
    with running_relay(agent_port) as relay:

        def note(request: bytes, answer: bytes) -> list[bytes]:
            seen.extend((request, answer))
            return [answer]

        relay.tamper = note
        asyncio.run(ask(opened(relay.port, who)))
    return seen


@pytest.mark.parametrize("auth", AUTH)
def test_both_ends_sign_alike(auth: str, agent: Server) -> None:
    who = user(auth, "aes128")
    discovery, report, *signed = captured(agent.port, who)
    assert read_report(report, read_header(report)) is not None
    assert not is_signed(discovery, read_header(discovery), auth, b"")
    for message in signed:
        header = read_header(message)
        key = who.localised_auth_key(header.engine_id)
        assert header.flags & (Flags.AUTH | Flags.PRIV) == Flags.AUTH | Flags.PRIV
        assert header.user.decode() == who.user.name
        assert header.signature.stop - header.signature.start == DIGEST_SIZES[auth]
        assert is_signed(message, header, auth, key)
        assert not is_signed(message, header, auth, key[::-1])
        for at in (*range(0, len(message), 7), len(message) - 1):
            changed = bytearray(message)
            changed[at] ^= 0x10
            with contextlib.suppress(BerError):
                assert not is_signed(bytes(changed), read_header(bytes(changed)), auth, key)


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    with contextlib.suppress(BerError):
        read_report(noise, read_header(noise))


def test_a_damaged_message_is_read_or_refused(agent: Server) -> None:
    messages = captured(agent.port, user("sha256", None))
    for message, at in itertools.product(messages, range(120)):
        for damaged in (message[:at], message[:at] + b"\xff" + message[at + 1 :]):
            with contextlib.suppress(BerError):
                read_report(damaged, read_header(damaged))
