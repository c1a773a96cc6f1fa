"""One connection: its table, its keepalive, its send buffer."""
