"""The named queries and acts of registry, one module a subject."""
