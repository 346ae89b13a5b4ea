"""Repairs: from the report to the resident's acceptance."""
