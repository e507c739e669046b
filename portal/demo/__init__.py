"""The demonstration street: seed data, loaded by a command; nothing imports it."""
