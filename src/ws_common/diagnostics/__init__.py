"""What a client reports: log, events, history, metrics, `explain()`."""
