"""Commands about the devices on a school's own broker."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.subscribeoptions import SubscribeOptions
from rich.console import Console
from rich.progress import Progress

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Agent, Inventory, LocalBroker, School
from campuswatch.mqtt import broker_address, new_client
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.readings import now_ns
from campuswatch.secrets import SecretError
from edge_agents.finding import find_agent
from edge_agents.link import Link
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.registry import decoders_of, installed
from edge_agents.sources.mqtt.messages import Message
from edge_agents.sources.mqtt.routes import Routes
from edge_agents.sources.mqtt.seen import Seen
from edge_agents.sources.mqtt.source import local_settings

mqtt_app = typer.Typer(no_args_is_help=True, help="Look at the devices on a school's own broker.")


@mqtt_app.callback()
def _root() -> None:
    """Look at the devices on a school's own broker."""


@mqtt_app.command()
def seen(
    agent_id: Annotated[
        str, typer.Option("--agent", metavar="ID", help="The agent that listens to the broker.")
    ],
    config: ConfigOption = Path("config"),
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=86400, help="How long to listen.")
    ] = 60,
    as_json: JsonOption = False,
) -> None:
    """List devices that publish and are not in the inventory, as YAML to add to their school.

    It listens to all topics beside the agent, which may run meanwhile. The
    longer, the more it hears: a Tasmota plug speaks every five minutes. What
    belongs to no ecosystem is listed by topic, for a mapping.

    Example: campuswatch mqtt seen --config config --agent no1-agent --seconds 300
    """
    inventory = load_inventory(config)
    school, agent = find_agent(inventory, agent_id)
    if agent.broker is None:
        raise UserError(f"agent {agent_id!r} listens to no broker; expected a broker in its entry")
    found = _Listener(inventory, school, agent)
    try:
        asyncio.run(found.listen(agent.broker, seconds))
    except (OSError, SecretError) as error:
        raise UserError(f"local broker {agent.broker.url}: {error}") from None
    if as_json:
        print(json.dumps(_as_data(found.seen), ensure_ascii=False, indent=2))
    else:
        _show(found.seen, agent.broker.url)


class _Listener:
    """Hears everything, and keeps what no device of the inventory sends."""

    def __init__(self, inventory: Inventory, school: School, agent: Agent) -> None:
        mappings = {mapping.id: mapping for mapping in inventory.mappings}
        site = Site(inventory.zone_of(school), school.access_points())
        declared = Routes()
        for device in school.devices:
            for decoder in decoders_of(device, site, mappings):
                for topic in decoder.topics:
                    declared.add(topic, decoder)
        self.seen = Seen(installed(), declared, site)
        self._name = f"campuswatch-seen-{agent.id}"

    async def listen(self, broker: LocalBroker, seconds: float) -> None:
        """Listen for a while.

        Raises:
            OSError: the broker can't be reached, refuses, or is lost.
        """
        settings = local_settings(broker)
        client: Client = new_client(settings, self._name, reconnect=False)
        link = Link(client, on_message=self._take)
        try:
            await link.open(broker_address(broker.url), clean_start=True)
            client.subscribe("#", options=SubscribeOptions(qos=0))
            await _wait(link, seconds)
        finally:
            await link.close()

    def _take(self, received: MQTTMessage) -> None:
        self.seen.take(Message(received.topic, bytes(received.payload), now_ns(), received.retain))


async def _wait(link: Link, seconds: float) -> None:
    end = time.monotonic() + seconds
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("listening", total=seconds)
        while (rest := end - time.monotonic()) > 0:
            await asyncio.wait([link.closed], timeout=min(rest, 0.5))
            if link.closed.done():
                raise ConnectionError(f"connection lost: {link.closed.result()}")
            progress.update(task, completed=seconds - rest)


def _as_data(seen: Seen) -> dict[str, Any]:
    return {
        "devices": [
            dataclasses.asdict(each) | {"fields": sorted(each.fields)}
            for each in seen.devices.values()
        ],
        "topics": [dataclasses.asdict(each) for each in seen.unknown_topics()],
    }


def _show(seen: Seen, broker: str) -> None:
    """Print YAML; JSON's strings are YAML's as well."""
    topics = seen.unknown_topics()
    if not seen.devices and not topics:
        print(f"# Nothing was heard on {broker} that the inventory does not have.")
    if seen.devices:
        print("# Add to `devices:` of the school; put the name and the room right.")
    for each in sorted(seen.devices.values(), key=lambda device: device.topic):
        topic = json.dumps(each.topic, ensure_ascii=False)
        print(f"  # {each.messages} messages: {', '.join(sorted(each.fields)) or 'no reading yet'}")
        print(
            f"  - {{id: {each.id}, name: {each.id}, kind: sensor, room: ?, "
            f"mqtt: {{decoder: {each.decoder}, topic: {topic}}}}}"
        )
    if topics:
        print("# Of no known ecosystem; a mapping of mappings.yaml can read JSON:")
    for unknown in sorted(topics, key=lambda each: each.topic):
        print(f"#   {json.dumps(unknown.topic, ensure_ascii=False)}: {unknown.sample!r}")
