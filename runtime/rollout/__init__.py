"""The rollout of a flow: which share of its callers the assistant takes, and how that share may change.

`stages`, `split` and `steps` are pure. `keep` brings a step into the store, and `watch` reads records and
looks at the guards; neither loads the statistics of the gate.
"""
