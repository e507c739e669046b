"""The named queries and acts of administration, one module a subject."""
