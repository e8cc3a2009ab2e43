"""Calls that a language model plays and judges: optional, paid for, never why a call passes or fails."""
