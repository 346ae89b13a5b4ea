"""The simulator: phones in a page, and loopback servers that behave as the providers do. Tests use the same."""
