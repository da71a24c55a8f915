"""The roof: configuration, wiring, command line. Nothing imports it."""
