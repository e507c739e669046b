"""Which kind of register is handled by what."""

from portal.registry.models import ImportKind
from portal.registry.service.imports.bands import TEAMS
from portal.registry.service.imports.crew import STAFF
from portal.registry.service.imports.deeds import OWNERS
from portal.registry.service.imports.homes import DWELLINGS, HOUSEHOLDS
from portal.registry.service.imports.shelves import STOCK
from portal.registry.service.imports.supply import FACILITIES, ORGANISATIONS
from portal.registry.service.imports.things import Handler

HANDLERS: dict[ImportKind, Handler] = {
    ImportKind.DWELLINGS: DWELLINGS,
    ImportKind.HOUSEHOLDS: HOUSEHOLDS,
    ImportKind.OWNERS: OWNERS,
    ImportKind.FACILITIES: FACILITIES,
    ImportKind.ORGANISATIONS: ORGANISATIONS,
    ImportKind.STAFF: STAFF,
    ImportKind.TEAMS: TEAMS,
    ImportKind.STOCK: STOCK,
}
