"""Finding the devices of a network, and proposing how the inventory may name them."""
