"""The language server: what an editor shows of a flow while it is typed."""
