"""One notice per root cause, to the person who can act."""
