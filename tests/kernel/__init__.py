"""The parts of the kernel that have no folder of their own."""
