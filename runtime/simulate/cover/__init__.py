"""What of a flow was tried: its goals, the goals a call reached, and calls that reach them all."""
