"""What a simulated device says over SNMP, one module for each MIB."""
