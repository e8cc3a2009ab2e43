"""The gate: whether an assistant does at least a stated share of what people did, and how sure that is.

`terms` (what was agreed beforehand), `evidence` (counted from call records) and `guards` need nothing but the
standard library. `bounds`, `plan`, `ratio` and `verdict` load SciPy and statsmodels, the extra `stats`.
"""
