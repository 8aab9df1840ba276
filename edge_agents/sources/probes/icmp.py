"""ICMP echoes: loss, round-trip time and jitter."""

from __future__ import annotations

from campuswatch.inventory.models import ECHO_SPACING, IcmpProbe
from edge_agents.sources.probes.base import Fields, ProbeFailedError
from edge_agents.sources.reachability import Pinger, resolve


def pinger(probe: IcmpProbe) -> Pinger:
    """Return what sends the echoes of a probe."""
    return Pinger(echoes=probe.count, spacing=ECHO_SPACING.total_seconds())


async def measure(probe: IcmpProbe, pinger: Pinger) -> Fields:
    """Return loss, and the round-trip time and jitter of the echoes that came back.

    Raises:
        ProbeFailedError: none came back, or this process may not send any.
        UnresolvableError: the host has no address.
    """
    echo = await pinger.echo(await resolve(probe.address), probe.timeout.total_seconds())
    if echo is None:
        raise ProbeFailedError("not allowed: needs net.ipv4.ping_group_range or CAP_NET_RAW")
    if echo.rtt is None:
        raise ProbeFailedError("no ICMP echo", {"loss": echo.loss})
    return {"loss": echo.loss, "rtt": echo.rtt, "jitter": echo.jitter}
