"""The one exception whose text is meant for the person at the terminal."""


class LabError(Exception):
    """Something a user can act on; printed without a traceback."""
