"""Devices from other systems' files, merged into a school's file."""
