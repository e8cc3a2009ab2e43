"""The dialogue engine: two pure functions over a compiled flow, `start` and `step`."""
