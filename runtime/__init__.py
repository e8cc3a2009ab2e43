"""The runtime: a pure dialogue engine and the shells that let an artifact hold a phone call."""
