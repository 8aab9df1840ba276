"""A simulated district: devices on real sockets, for the demo and the tests."""
