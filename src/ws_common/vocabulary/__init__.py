"""Values, errors and protocols that every other part speaks of."""
