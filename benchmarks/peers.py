"""Configurations that make other pollers read what `if-mib` reads at every poll.

They read ifName too, each time: they keep nothing from poll to poll, and a
row's name is its label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_IF: Final = "1.3.6.1.2.1.2.2.1"
_IF_X: Final = "1.3.6.1.2.1.31.1.1.1"
_IF_NAME: Final = f"{_IF_X}.1"

_STATES: Final[Mapping[str, str]] = {
    "ifAdminStatus": f"{_IF}.7",
    "ifOperStatus": f"{_IF}.8",
    "ifLastChange": f"{_IF}.9",
    "ifCounterDiscontinuityTime": f"{_IF_X}.19",
}
_COUNTERS: Final[Mapping[str, str]] = {
    "ifInDiscards": f"{_IF}.13",
    "ifInErrors": f"{_IF}.14",
    "ifOutDiscards": f"{_IF}.19",
    "ifOutErrors": f"{_IF}.20",
    "ifHCInOctets": f"{_IF_X}.6",
    "ifHCInUcastPkts": f"{_IF_X}.7",
    "ifHCInMulticastPkts": f"{_IF_X}.8",
    "ifHCInBroadcastPkts": f"{_IF_X}.9",
    "ifHCOutOctets": f"{_IF_X}.10",
    "ifHCOutUcastPkts": f"{_IF_X}.11",
    "ifHCOutMulticastPkts": f"{_IF_X}.12",
    "ifHCOutBroadcastPkts": f"{_IF_X}.13",
}

_EXPORTER: Final = """if_mib:
  version: 2
  max_repetitions: 50
  auth: {community: public}
  get: [1.3.6.1.2.1.1.3.0]
"""
_METRIC: Final = """  - name: %s
    oid: %s
    type: %s
    help: "%s"
    indexes: [{labelname: ifIndex, type: gauge}]
    lookups:
    - {labels: [ifIndex], labelname: ifName, oid: %s, type: DisplayString}
"""
_TELEGRAF: Final = """[agent]
  interval = "2s"
  flush_interval = "2s"
  omit_hostname = true
[[outputs.file]]
  files = ["%s"]
  data_format = "influx"
[[inputs.snmp]]
  agents = [%s]
  version = 2
  community = "public"
  max_repetitions = 50
  [[inputs.snmp.field]]
    name = "uptime"
    oid = ".1.3.6.1.2.1.1.3.0"
  [[inputs.snmp.table]]
    name = "interface"
"""
_FIELD: Final = """    [[inputs.snmp.table.field]]
      name = "%s"
      oid = ".%s"
"""


def exporter_config() -> str:
    """Return an snmp.yml for prometheus-snmp-exporter 0.21, with the module if_mib."""
    oids = [_IF_NAME, *_STATES.values(), *_COUNTERS.values()]
    metrics = [
        _METRIC % (name, oid, kind, name, _IF_NAME)
        for kind, columns in (("gauge", _STATES), ("counter", _COUNTERS))
        for name, oid in columns.items()
    ]
    return f"{_EXPORTER}  walk: [{', '.join(oids)}]\n  metrics:\n{''.join(metrics)}"


def telegraf_config(ports: Sequence[int], out: Path) -> str:
    """Return a configuration of Telegraf's inputs.snmp that writes lines to a file."""
    agents = ", ".join(f'"udp://127.0.0.1:{port}"' for port in ports)
    name = _FIELD % ("ifName", _IF_NAME) + "      is_tag = true\n"
    fields = [_FIELD % column for columns in (_STATES, _COUNTERS) for column in columns.items()]
    return _TELEGRAF % (out, agents) + name + "".join(fields)
