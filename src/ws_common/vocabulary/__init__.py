"""Values, errors and protocols that every other room of `ws_common` uses."""
