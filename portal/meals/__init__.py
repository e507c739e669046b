"""Meals: a menu is published for a day; residents order portions until the cut-off; a canteen redeems them."""
