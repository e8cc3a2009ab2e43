"""Synthetic callers: whole calls without a telephone, in sound over real sockets or as text against the
engine alone.
"""
