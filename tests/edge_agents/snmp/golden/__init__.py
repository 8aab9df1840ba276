"""What the profiles yield of recorded devices, in short: a file a recording.

Each file was compared with its recording by eye. After a change of a profile,
write them anew and look at what changed:

    python -m tests.edge_agents.snmp.golden
    git diff tests/edge_agents/snmp/golden
"""
