"""Active probes: what an agent tries from inside the school, as its people would."""
