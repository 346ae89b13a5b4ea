"""Who writes to us: an address becomes a resident or a colleague, and stops being one (desk.md sections 1, 2)."""
