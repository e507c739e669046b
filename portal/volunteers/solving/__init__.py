"""Filling open posts by computation: a problem in, a checked and explained proposal out; no database and no web.

Run as `python -m portal.volunteers.solving` it reads a problem as JSON and writes lines of JSON: how far it is, and at
last what it found. What is heavy is imported by `model` alone, so that nothing which stays at rest carries it.
"""
