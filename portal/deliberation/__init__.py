"""Deliberation (协商议事): from a neighbour's idea to a decision that is carried out and can be checked."""
