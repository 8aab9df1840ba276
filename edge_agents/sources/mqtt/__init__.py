"""Devices that publish to their school's own MQTT broker.

`decoding` turns a payload into a reading as the inventory's mapping says,
`source` listens, `silence` says which devices are no longer heard, and
`rejected` keeps payloads that no mapping could read.
"""
