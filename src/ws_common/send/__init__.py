"""The send queue: messages that wait for a connection, and their receipts."""
