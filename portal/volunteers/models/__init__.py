"""Tables of the volunteers, by what they are about."""
