"""Cables as a graph in Graphviz' DOT language, and drawn by its program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from campuswatch.errors import UserError
from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.links import End, Link, Sight
from campuswatch.neighbours import Neighbour
from targets.drift import DRIFT, Comparison, Standing, Uplink

_PROGRAM: Final = "dot"
_TIMEOUT: Final = 120
_SHAPES: Final = {
    DeviceKind.ROUTER: "house",
    DeviceKind.SWITCH: "box3d",
    DeviceKind.WLAN_CONTROLLER: "component",
    DeviceKind.AP: "ellipse",
    DeviceKind.SERVER: "box",
}
_RED, _GREY, _GREEN, _BLUE, _ORANGE = "#c62828", "#9e9e9e", "#2e7d32", "#1565c0", "#ef6c00"
_HEADER: Final = (
    "digraph campus {",
    '  graph [rankdir=LR, ranksep=1.5, fontname="sans-serif", newrank=true];',
    '  node [shape=box, style="filled", fillcolor=white, fontname="sans-serif", fontsize=11];',
    '  edge [dir=none, fontname="sans-serif", fontsize=8];',
)


def dot(comparisons: Sequence[Comparison]) -> str:
    """Return the cables of some schools in the DOT language, a cluster for each school.

    Green is what both ends confirm, grey what nothing is seen of; dotted is
    what one end alone reports, red what is not as declared, blue what is not
    declared, and dashed red where a cable was declared and is not.
    """
    lines = [*_HEADER]
    for comparison in comparisons:
        lines += _school(comparison)
    return "\n".join([*lines, "}", ""])


def svg(text: str) -> str:
    """Return a graph drawn as SVG.

    Raises:
        UserError: Graphviz is not installed, or can't draw it.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise UserError(
            "--format svg needs the program dot, which is not installed; expected Graphviz "
            "(apt install graphviz), or --format dot, which needs nothing"
        )
    done = subprocess.run(  # noqa: S603 - no shell, and the text is its standard input
        [program, "-Tsvg"],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise UserError(f"dot could not draw the graph: {done.stderr.strip()}")
    return done.stdout


def _school(comparison: Comparison) -> Iterator[str]:
    school = comparison.school
    linked = comparison.cabling.linked
    linked |= {uplink.device.id for uplink in comparison.uplinks}
    linked |= {uplink.declared.device for uplink in comparison.uplinks}
    yield f"  subgraph {_quoted('cluster_' + school.id)} {{"
    yield f"    label={_quoted(school.name)};"
    for device in school.devices:
        if device.id in linked:
            yield f"    {_quoted(device.id)} {_node(device)};"
    for number, stranger in enumerate(comparison.strangers):
        yield from _stranger(f"{school.id}?{number}", stranger)
    yield "  }"
    for uplink in comparison.uplinks:
        yield from _uplink(uplink)
    for link in comparison.undeclared:
        yield _edge(link.first, link.second, {"color": _BLUE, "style": _style(link)})


def _node(device: Device) -> str:
    shape = _SHAPES.get(device.kind, "box")
    label = device.id if device.name == device.id else f"{device.name}\n{device.id}"
    return _attributes({"label": label, "shape": shape})


def _stranger(node: str, stranger: Neighbour) -> Iterator[str]:
    name = stranger.name or stranger.chassis or stranger.remote
    attributes = {"label": f"{name}\n{stranger.address}", "color": _BLUE, "style": "dashed"}
    yield f"    {_quoted(node)} {_attributes(attributes)};"
    yield _edge(
        End(stranger.device, stranger.interface),
        End(node, stranger.its_port),
        {"color": _BLUE, "style": "dashed"},
    )


def _uplink(uplink: Uplink) -> Iterator[str]:
    own = End(uplink.device.id, "")
    if uplink.link is None:
        missing = uplink.standing is Standing.NOT_SEEN
        style = {"color": _RED if missing else _GREY, "style": "dashed"}
        yield _edge(uplink.declared, own, style)
        return
    seen = uplink.link.far_end(uplink.device.id)
    own = uplink.link.end(uplink.device.id)
    colour = _RED if uplink.standing in DRIFT else _GREEN
    if uplink.link.sight is Sight.CONTRADICTORY:
        colour = _ORANGE
    yield _edge(seen, own, {"color": colour, "style": _style(uplink.link)})
    if uplink.standing is Standing.OTHER_UPLINK:
        yield _edge(uplink.declared, End(own.device, ""), {"color": _RED, "style": "dashed"})


def _style(link: Link) -> str:
    return "solid" if link.sight is Sight.CONFIRMED else "dotted"


def _edge(upper: End, lower: End, attributes: Mapping[str, str]) -> str:
    ports = f"{upper.device} {upper.port} — {lower.device} {lower.port}"
    labels = {"label": upper.port, "tooltip": ports, "labeltooltip": ports}
    return (
        f"  {_quoted(upper.device)} -> {_quoted(lower.device)} "
        f"{_attributes({**labels, **attributes})};"
    )


def _attributes(values: Mapping[str, str]) -> str:
    given = ", ".join(f"{key}={_quoted(value)}" for key, value in values.items() if value)
    return f"[{given}]"


def _quoted(text: str) -> str:
    r"""Return a double-quoted string of DOT; a line break is "\n" there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
