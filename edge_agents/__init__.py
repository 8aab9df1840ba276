"""What runs in a school: sources of readings, schedule, spool and uplink."""
