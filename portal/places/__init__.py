"""Places: a capacity and what is taken of it, one mechanism for portions, slots, shifts and seats."""
