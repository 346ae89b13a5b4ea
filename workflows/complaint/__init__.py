"""Complaints: heard out, recorded, answered by name, ended with a reason, followed up."""
