"""The one error that an author sees: which notebook, which cell, what happened."""


class NotebookError(Exception):
    """A notebook cannot become a page; the message says where and why."""
