"""Real receivers of notifications on loopback: an HTTP endpoint and an SMTP server."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Json = dict[str, Any]


class Webhook:
    """Takes what Apprise's json:// posts.

    Attributes:
        port: where it listens.
        received: the bodies it took, in order.
        status: what it answers with.
        hold_from: the number of requests from which on answers are held back.
        gate: set it to give the answers that are held back.
    """

    def __init__(self) -> None:
        self.received: list[Json] = []
        self.status = 200
        self.hold_from = sys.maxsize
        self.gate = threading.Event()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if webhook.status == 200:
                    webhook.received.append(body)
                if len(webhook.received) >= webhook.hold_from:
                    webhook.gate.wait()
                self.send_response(webhook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_port

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/alerts"


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a webhook."""
    hook = Webhook()
    thread = threading.Thread(target=hook.server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.gate.set()
        hook.server.shutdown()
        hook.server.server_close()
        thread.join()


class Mailbox:
    """Takes every mail.

    Attributes:
        mails: in order.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    """Run an SMTP server on a port of 127.0.0.1."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
