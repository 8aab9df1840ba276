"""The shared kernel of Campuswatch: inventory, readings, wire format, stores, command line."""
