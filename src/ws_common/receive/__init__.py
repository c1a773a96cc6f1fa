"""The receive pipeline: one ordered sequence of messages, and what reads it."""
