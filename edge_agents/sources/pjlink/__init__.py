"""Projectors and displays, asked by PJLink (JBMIA, class 1 and 2) over TCP."""
