"""The named queries and acts of meals, one module a subject."""
