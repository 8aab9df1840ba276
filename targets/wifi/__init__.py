"""Whether every room has the Wi-Fi that it was promised."""
