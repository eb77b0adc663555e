"""The cluster tests: `rig` is the machines, `case` a test, the rest are the tests."""
