"""Worlds to try a deployment in, each started by one command."""
