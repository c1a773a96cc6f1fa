"""The receive pipeline: one ordered sequence of messages, and who reads it."""
