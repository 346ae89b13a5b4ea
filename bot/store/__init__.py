"""Tables, and the functions on them.

Every function is plain and synchronous over a `sqlalchemy.Connection`; it never commits and never awaits. SQL is
written nowhere else.
"""
