"""The listeners: webhooks on the internet side, console on the inside, simulator for demonstrations and tests."""
