"""Scenarios: a call turn by turn as a designer writes it, what must happen, and whether it did."""
