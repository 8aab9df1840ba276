"""The error that is the user's to mend."""

from __future__ import annotations


class UserError(Exception):
    """Bad input; the message says where it is, what is wrong and what was expected.

    The command line prints the message alone and exits with 2.
    """
