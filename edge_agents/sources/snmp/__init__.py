"""SNMP: one device is one source, read as its profile says."""
