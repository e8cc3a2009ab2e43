"""Synthetic callers in sound: voices, bad lines, many calls at once, and what was heard."""
