"""The client's states and its table: no clock, no I/O, no asyncio."""
