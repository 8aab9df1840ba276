"""Devices on serial lines: Modbus RTU, air sensors, lines of text, projectors."""
