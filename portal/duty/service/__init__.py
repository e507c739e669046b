"""Duty's service: the rota, the hours that must be covered, who answers, swaps, and the five doors."""
