"""Duty: who of the desk is where when, who answers now, and which hours nobody covers yet."""
