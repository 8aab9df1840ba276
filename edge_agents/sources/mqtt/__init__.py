"""Devices that publish to their school's own MQTT broker.

`source` listens, `decoders` turn payloads into readings, `presence` says which
devices are no longer there, `rejected` keeps what could not be read, and `seen`
lists devices that the inventory does not have.
"""
