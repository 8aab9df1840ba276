"""The embedded MQTT 5 broker: for the demo, and for a school on one machine.

It keeps nothing on disk and needs nothing there: a publisher gets its PUBACK
only when a subscriber has acknowledged the message, so until then the
message is in the agent's spool. Larger installations run Mosquitto or EMQX.
"""
