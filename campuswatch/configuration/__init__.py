"""An agent's part of the inventory, signed by the district, as it travels over MQTT."""
