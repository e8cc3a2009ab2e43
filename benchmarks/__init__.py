"""What the project costs, measured: each figure stands beside a named floor of the same run."""
