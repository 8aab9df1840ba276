"""Where readings come from; one module or folder per kind of source."""
