"""Who records and for whom: the organisers a worker records for, and the volunteer that was named."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Organisation, Person
from portal.volunteers.models.codes import VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import people


def communities(within: Collection[Scope]) -> list[Area]:
    """The communities whose committees a worker records for."""
    return areas.whole_communities(within)


def organisations_of(places: Collection[Area]) -> list[Organisation]:
    """The organisations of some communities that are in use."""
    query = sa.select(Organisation).where(
        Organisation.community_id.in_([place.id for place in places]), Organisation.closed_on.is_(None)
    )
    return list(db.session.scalars(query.order_by(Organisation.name, Organisation.id)))


def organiser(
    key: str, places: Collection[Area], organisations: Collection[Organisation]
) -> tuple[Area, Organisation | None]:
    """The community and the organisation that a choice names; a refusal for any other's (谁组织谁记录)."""
    place_id, _dash, body_id = key.partition("-")
    place = next((one for one in places if str(one.id) == place_id), None)
    body = next((one for one in organisations if str(one.id) == body_id and str(one.community_id) == place_id), None)
    if place is None or (body is None and body_id != "0"):
        raise Refused(_("只能记录自己社区组织的服务：谁组织，谁记录。"), field="organiser")
    return place, body


def volunteer_named(within: Collection[Scope], text: str) -> Volunteer:
    """By number anybody, for she may help anywhere; by name those of the worker's own communities."""
    query = sa.select(Volunteer).join(Volunteer.person).options(*people.whole()).order_by(Volunteer.id).limit(6)
    standing = Volunteer.state.not_in([VolunteerState.APPLIED, VolunteerState.REFUSED])
    found = list(db.session.scalars(query.where(standing, Volunteer.number == text.upper())))
    if not found:
        own = Volunteer.community_id.in_(people.community_ids(within))
        found = list(db.session.scalars(query.where(standing, own, Person.name == text)))
    if not found:
        raise Refused(_("没有找到这位志愿者。请核对姓名，或填志愿者编号；还没登记的请先登记。"), field="who")
    if len(found) > 1:
        listed = _("、").join(one.number for one in found)
        raise Refused(_("有几位同名的志愿者，请填编号：%(listed)s", listed=listed), field="who")
    return found[0]
