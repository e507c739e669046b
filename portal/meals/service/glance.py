"""What the home page shows of meals to everybody: what is on the menu."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.core.clock import now
from portal.core.db import db
from portal.meals.models import Canteen, Menu, MenuDish, MenuState


def served_soon(community_id: int | None = None, limit: int = 3) -> list[Menu]:
    """The published menus that are still to be served: what can still be ordered first, the community's own canteens
    first on each day.
    """
    query = (
        sa.select(Menu)
        .join(Menu.canteen)
        .where(Menu.state == MenuState.PUBLISHED, Menu.closes_at > now())
        .order_by(
            sa.case((Menu.cutoff_at > now(), 0), else_=1),
            Menu.day,
            sa.case((Canteen.community_id == (community_id or 0), 0), else_=1),
            Menu.opens_at,
            Canteen.name,
            Menu.id,
        )
        .limit(limit)
        .options(joinedload(Menu.canteen), selectinload(Menu.dishes).joinedload(MenuDish.dish))
    )
    return list(db.session.scalars(query))
