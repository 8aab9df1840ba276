"""The inventory: what a district owns and has promised, read from YAML."""
