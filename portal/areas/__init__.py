"""Areas: who belongs where. Streets, communities and grids in one tree; estates, buildings and dwellings below them."""
