"""The ground floor (records, outbox) and the floors above it (engine, web, start-up) of the service desk."""
