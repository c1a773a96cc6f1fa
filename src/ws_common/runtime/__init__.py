"""The asyncio shell around the client's table, and what it drives."""
