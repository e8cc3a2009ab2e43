"""Synthetic callers by kind, at the level of text: thousands of calls by people with a goal and a temper."""
