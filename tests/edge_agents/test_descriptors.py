"""A process may open as many sockets as it is allowed."""

from __future__ import annotations

import resource
import subprocess
import sys

PROGRAM = """
import resource
from edge_agents.descriptors import raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 500))
raise_file_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 500
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert ran.stdout.split() == [b"500", b"500"]
