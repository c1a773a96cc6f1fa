"""The options of a client, and the checks of the values that a program passes."""
