"""SNMP traps and informs: what devices say on their own account."""
