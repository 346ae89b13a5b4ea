"""Intake, turn, routing, delivery, receipts, scheduler: what moves a message through the desk."""
