"""One call at engine level, driven move by move, without sound, sockets or a clock."""
