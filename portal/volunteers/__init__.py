"""Volunteers: who helps, on which shifts, for how many hours, and the certificate of it."""
