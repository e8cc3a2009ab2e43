"""Our connection to the speech model: its wire, its ledger of what was heard, and an embedded stand-in."""
