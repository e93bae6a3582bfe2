"""The one way an op table refuses: raised during import, gathered, and reported with all others in one error."""


class NotImportable(Exception):
    """An op, or this use of it, has no form in the dialect; the text says why."""
