"""The web console and its API."""
