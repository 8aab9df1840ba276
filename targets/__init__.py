"""Whether each school gets what it was promised."""
