"""Channels: a provider's bytes to one normal form and back. Leaves: no database, no meaning, nothing of each other."""
