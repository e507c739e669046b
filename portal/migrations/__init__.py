"""Alembic's home: env.py and the versions; HEAD holds the current revision."""
