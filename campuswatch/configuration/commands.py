"""The commands `campuswatch keys` and `campuswatch push`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.reasoncodes import ReasonCode
from rich.console import Console
from rich.progress import track
from rich.table import Table

from campuswatch.configuration.document import Configuration, ConfigurationError, digest, sign
from campuswatch.configuration.keys import create_keys, private_key
from campuswatch.configuration.slices import slice_files
from campuswatch.errors import UserError
from campuswatch.inventory.extensions import room_problems
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Agent, Inventory, School
from campuswatch.inventory.problems import InventoryError
from campuswatch.mqtt import KEEPALIVE, broker_address, new_client
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.settings import BrokerSettings, load_settings
from campuswatch.wire import AgentAddress, Channel

_ANSWER: Final = 10.0  # seconds for the broker to take one configuration

keys_app = typer.Typer(help="Keys with which the district signs its agents' configurations.")


@keys_app.callback()
def _keys() -> None:
    """Keep `create` a command of its own while it is the only one."""


@keys_app.command("create")
def create(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the pair.")],
) -> None:
    """Make a key pair: the private half stays with the district, agents get the public one.

    Example: campuswatch keys create --out keys
    """
    private, public = create_keys(out)
    typer.echo(f"{private}: sign with it; whoever has it can reconfigure every agent")
    typer.echo(f"{public}: give it to the agents, as agent_configuration.public_key")


@dataclass(frozen=True)
class Pushed:
    """A configuration that the broker holds for its agent.

    Attributes:
        school: where the agent is.
        agent: its id.
        version: Unix time of the signing, milliseconds.
        sha256: of the configuration, hexadecimal.
        bytes: size of the message.
    """

    school: str
    agent: str
    version: int
    sha256: str
    bytes: int


def push(
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="REFERENCE", help="The private key: file:PATH or env:NAME of a PEM."
        ),
    ],
    config: ConfigOption = Path("config"),
    agent: Annotated[
        list[str] | None,
        typer.Option("--agent", metavar="ID", help="Push to this agent; may be repeated."),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Push to every agent.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send agents their part of the inventory, signed.

    The broker keeps the latest for an agent that is away. An agent uses it if
    it is valid, and goes back to the one before if its devices no longer
    answer; its status says what became of it.

    Example: campuswatch push --config config --all --key file:keys/configuration.key
    """
    inventory, settings = load_inventory(config), load_settings(config)
    if problems := room_problems(config, inventory):
        raise InventoryError(problems)
    chosen = _chosen(inventory, agent or [], everyone=everyone)
    payloads = _sign_all(inventory, chosen, config, private_key(key))
    pushed = _publish(settings.broker, payloads)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in pushed], indent=2))
    else:
        _print(pushed)


def _chosen(
    inventory: Inventory, wanted: Sequence[str], *, everyone: bool
) -> list[tuple[School, Agent]]:
    if everyone == bool(wanted):
        raise UserError("expected either --agent ID or --all")
    agents = {agent.id: (school, agent) for school in inventory.schools for agent in school.agents}
    if unknown := set(wanted) - agents.keys():
        known = ", ".join(sorted(agents))
        raise UserError(f"--agent {min(unknown)}: expected one of {known}")
    return [pair for id_, pair in agents.items() if everyone or id_ in wanted]


def _sign_all(
    inventory: Inventory,
    agents: Sequence[tuple[School, Agent]],
    config: Path,
    key: Ed25519PrivateKey,
) -> dict[AgentAddress, tuple[int, bytes]]:
    """Return version and payload for each agent."""
    version = time.time_ns() // 1_000_000
    payloads = {}
    for school, agent in agents:
        address = AgentAddress(inventory.district.id, school.id, agent.id)
        configuration = Configuration(
            district=address.district,
            school=address.school,
            agent=address.agent,
            version=version,
            files=slice_files(inventory, school, config),
        )
        try:
            payloads[address] = version, sign(configuration, key)
        except ConfigurationError as error:
            raise UserError(f"agent {agent.id}: {error}") from None
    return payloads


def _publish(
    broker: BrokerSettings, payloads: dict[AgentAddress, tuple[int, bytes]]
) -> list[Pushed]:
    publisher = _Publisher(broker)
    try:
        pushed = []
        for address, (version, payload) in track(
            payloads.items(), "pushing", console=Console(stderr=True), transient=True
        ):
            publisher.publish(address.topic(Channel.COMMAND), payload)
            pushed.append(
                Pushed(address.school, address.agent, version, digest(payload), len(payload))
            )
        return pushed
    finally:
        publisher.close()


class _Publisher:
    """Publishes retained messages one by one, and knows what became of each.

    Raises:
        UserError: there is no connection.
    """

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._answers: SimpleQueue[ReasonCode] = SimpleQueue()
        self._client = new_client(broker, "", reconnect=False)
        self._client.on_connect = lambda *arguments: self._answers.put(arguments[3])
        self._client.on_publish = lambda *arguments: self._answers.put(arguments[3])
        address = broker_address(broker.url)
        try:
            self._client.connect(address.host, address.port, KEEPALIVE)
        except OSError as error:
            raise UserError(f"broker {broker.url}: {error}") from None
        self._client.loop_start()
        self._await_answer("connection")

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message, and return once the broker has it.

        Raises:
            UserError: it does not take it.
        """
        self._client.publish(topic, payload, qos=1, retain=True)
        self._await_answer(topic)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _await_answer(self, what: str) -> None:
        try:
            code = self._answers.get(timeout=_ANSWER)
        except Empty:
            raise UserError(
                f"broker {self._broker.url}: {what}: no answer within {_ANSWER:g} s"
            ) from None
        if code.is_failure:
            self._client.loop_stop()
            raise UserError(f"broker {self._broker.url}: {what}: refused: {code}")


def _print(pushed: Sequence[Pushed]) -> None:
    table = Table(title="Pushed", title_justify="left")
    for heading in ("School", "Agent", "Version", "SHA-256"):
        table.add_column(heading)
    table.add_column("Bytes", justify="right")
    for each in pushed:
        table.add_row(each.school, each.agent, str(each.version), each.sha256[:12], str(each.bytes))
    Console().print(table)
