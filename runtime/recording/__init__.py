"""Recordings of calls: what was said on the line, at rest."""
