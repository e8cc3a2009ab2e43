"""The server: the telephone provider's webhooks and media streams on one port, each call carried by the
bridge.
"""

from runtime.server.run import Running, serve, start

__all__ = ["Running", "serve", "start"]
