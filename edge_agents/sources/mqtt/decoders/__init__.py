"""From what devices publish to readings: one module an ecosystem.

A decoder is a class of `base.Decoder`, announced as an entry point of the
group `campuswatch.mqtt_decoders`; its name there is what `decoder:` says in a
device's `mqtt` entry. To add one, copy the module whose payloads are most like
the new ones (`tasmota` for JSON, `shelly_gen1` for one value a topic), and add
its line to `pyproject.toml`; `registry` finds it.
"""
