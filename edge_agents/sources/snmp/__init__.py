"""SNMP: one device is one source, read as its profile says."""

from edge_agents.sources.snmp.registry import Profile, ProfileRegistry
from edge_agents.sources.snmp.source import SnmpSource, polled_source

__all__ = ["Profile", "ProfileRegistry", "SnmpSource", "polled_source"]
