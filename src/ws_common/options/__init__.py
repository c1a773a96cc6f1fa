"""How a client is configured, and the checks of what a program gives."""
