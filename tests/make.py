"""Typed builders: each makes one thing, with whatever it needs, and commits it."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate, Settlement
from portal.core import clock, search
from portal.core.access import Actor, Platform
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.ids import Sex, check_digit
from portal.core.sealing import blind
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import Role
from portal.identity.service import phone_index
from portal.meals.models import Canteen, Dish, Meal, MealOrder, MealTime, Menu, MenuDish, MenuState, SetClass, Way
from portal.meals.service import orders
from portal.places.models import Capacity
from portal.registry.models import Claim, ClaimState, Household, Person, PersonTag, Registration, TagKind

Row = TypeVar("Row")
# The Argon2 hash of "correct horse 1" costs time; tests that sign in by password make their own.
NO_PASSWORD = "!"


class Make:
    """Counts from one in every test, so that names and numbers are the same in every run."""

    def __init__(self) -> None:
        self._next = count(1)
        self._street: Area | None = None
        self._community: Area | None = None
        self._canteen: Canteen | None = None

    def add(self, row: Row) -> Row:
        with transaction() as session:
            session.add(row)
        return row

    def number(self) -> int:
        return next(self._next)

    def id_number(self, born: date = date(1950, 5, 5), sex: Sex = Sex.FEMALE) -> str:
        """A number of the region that does not exist, with a right check digit."""
        order = self.number() * 2 + (1 if sex is Sex.MALE else 0)
        first = f"999901{born:%Y%m%d}{order:03d}"
        return first + check_digit(first)

    def phone(self) -> str:
        return f"1380000{self.number():04d}"

    def street(self) -> Area:
        if self._street is None:
            self._street = self.add(Area(kind=AreaKind.STREET, code="999901001", name="春晖街道"))
        return self._street

    def community(self, name: str = "", settlement: Settlement = Settlement.TOWN) -> Area:
        """The one community of the test, or a further one when a name is given."""
        if name:
            return self._new_community(name, settlement)
        if self._community is None:
            self._community = self._new_community("春风里社区", settlement)
        return self._community

    def _new_community(self, name: str, settlement: Settlement) -> Area:
        code = f"{self.street().code}{self.number():03d}"
        return self.add(
            Area(
                kind=AreaKind.COMMUNITY,
                code=code,
                name=name,
                settlement=settlement,
                parent_id=self.street().id,
            )
        )

    def grid(self, community: Area | None = None, name: str = "第一网格") -> Area:
        community = community or self.community()
        code = f"{community.code}{self.number():03d}"
        return self.add(Area(kind=AreaKind.GRID, code=code, name=name, parent_id=community.id))

    def dwelling(self, community: Area | None = None, room: str = "301") -> Dwelling:
        community = community or self.community()
        estate = self.add(Estate(community_id=community.id, name=f"春风里小区{self.number()}"))
        building = self.add(Building(estate_id=estate.id, name="6号楼"))
        return self.add(Dwelling(building_id=building.id, unit="2单元", room=room))

    def household(self, community: Area | None = None) -> Household:
        community = community or self.community()
        dwelling = self.dwelling(community)
        return self.add(Household(community_id=community.id, number=f"H{self.number():06d}", dwelling_id=dwelling.id))

    def person(
        self,
        name: str = "王秀英",
        *,
        born: date | None = date(1950, 5, 5),
        sex: Sex = Sex.FEMALE,
        community: Area | None = None,
        grid: Area | None = None,
        phone: str | None = None,
        id_number: str | None = None,
        tags: Iterable[TagKind] = (),
        registration: Registration = Registration.LOCAL,
        registration_code: str = "",
        diet: str = "",
        **more: Any,
    ) -> Person:
        community = community or self.community()
        id_number = id_number or self.id_number(born or date(1950, 5, 5), sex)
        phone = self.phone() if phone is None else phone
        person = Person(
            community_id=community.id,
            grid_id=grid.id if grid else None,
            name=name,
            initials=search.initials(name),
            pinyin=search.pinyin(name),
            sex=sex,
            birth_date=born,
            id_number=id_number,
            id_index=blind("person.id_number", id_number),
            phone=phone or None,
            phone_index=blind("person.phone", phone) if phone else None,
            phone_tail_index=blind("person.phone_tail", phone[-4:]) if phone else None,
            registration=registration,
            registration_code=registration_code or (community.code[:9] if registration is Registration.LOCAL else ""),
            diet=diet or None,
            flags=[],
            **more,
        )
        person.tags = [PersonTag(kind=kind, since=date(2020, 1, 1), source="test") for kind in tags]
        return self.add(person)

    def resident(self, person: Person | None = None, *, phone: str = "", password_hash: str = NO_PASSWORD) -> Account:
        """A resident's account; with a person, its confirmed claim."""
        phone = phone or self.phone()
        account = Account(
            platform=Platform.RESIDENT,
            name=person.name if person else "李小红",
            phone=phone,
            phone_index=phone_index(phone),
            password_hash=password_hash,
            created_at=now(),
        )
        account.grants = [RoleGrant(role=Role.RESIDENT, scope_kind="self", scope_ref="")]
        self.add(account)
        if person:
            self.add(
                Claim(
                    account_id=account.id,
                    name=person.name,
                    id_number=person.id_number or "",
                    id_index=person.id_index or b"",
                    state=ClaimState.CONFIRMED,
                    person_id=person.id,
                    made_at=now(),
                    decided_at=now(),
                    decided_by="register",
                )
            )
        return account

    def worker(
        self,
        role: Role = Role.COMMUNITY_WORKER,
        scope: Area | Canteen | None = None,
        *,
        name: str = "周洁",
        password_hash: str = NO_PASSWORD,
    ) -> Account:
        """A desk account with one role on a scope that suits it (this test's community unless given)."""
        kind, ref = self._scope(role, scope)
        account = Account(
            platform=Platform.DESK,
            username=f"worker{self.number()}",
            name=name,
            password_hash=password_hash,
            created_at=now(),
        )
        account.grants = [RoleGrant(role=role, scope_kind=kind, scope_ref=ref)]
        return self.add(account)

    def _scope(self, role: Role, scope: Area | Canteen | None) -> tuple[str, str]:
        if isinstance(scope, Area):
            return scope.kind.value, scope.code
        if isinstance(scope, Canteen):
            return "canteen", scope.public_id
        defaults = {
            Role.COMMUNITY_WORKER: lambda: self._scope(role, self.community()),
            Role.COMMITTEE_MEMBER: lambda: self._scope(role, self.community()),
            Role.CASE_WORKER: lambda: self._scope(role, self.community()),
            Role.STREET_ADMINISTRATOR: lambda: self._scope(role, self.street()),
            Role.GRID_WORKER: lambda: self._scope(role, self.grid()),
            Role.CANTEEN_OPERATOR: lambda: self._scope(role, self.canteen()),
        }
        return defaults[role]() if role in defaults else ("all", "")

    def canteen(self, name: str = "", community: Area | None = None, *, delivery_fee_fen: int = 0) -> Canteen:
        """The one canteen of the test, or a further one when a name is given. Lunch 11:00 to 12:30, cut-off 9:00."""
        if not name and self._canteen is not None:
            return self._canteen
        canteen = Canteen(
            community_id=(community or self.community()).id,
            name=name or "春风里助餐点",
            address="春风里小区 6 号楼一层",
            phone="0571-88880000",
            ways=[way.value for way in Way],
            delivery_fee_fen=delivery_fee_fen,
        )
        canteen.times = [MealTime(meal=Meal.LUNCH, opens=time(11), closes=time(12, 30), cutoff=time(9))]
        self.add(canteen)
        if not name:
            self._canteen = canteen
        return canteen

    def dish(self, canteen: Canteen | None = None, *, name: str = "", price_fen: int = 1200, **more: Any) -> Dish:
        canteen = canteen or self.canteen()
        made = {"set_class": SetClass.BASIC, "diets": [], "allergens": [], **more}
        return self.add(
            Dish(
                canteen_id=canteen.id,
                name=name or f"红烧带鱼套餐{self.number()}",
                price_fen=price_fen,
                **made,
            )
        )

    def menu(
        self,
        *,
        canteen: Canteen | None = None,
        day: date | None = None,
        meal: Meal = Meal.LUNCH,
        cutoff: datetime | None = None,
        portions: int = 20,
        price_fen: int = 1200,
        dishes: Iterable[Dish] = (),
        state: MenuState = MenuState.PUBLISHED,
    ) -> Menu:
        """A published menu for tomorrow's lunch with one dish, unless told otherwise."""
        canteen = canteen or self.canteen()
        day = day or today() + timedelta(days=1)
        menu = Menu(
            canteen_id=canteen.id,
            day=day,
            meal=meal,
            state=state,
            cutoff_at=cutoff or clock.at(day, time(9)),
            opens_at=clock.at(day, time(11)),
            closes_at=clock.at(day, time(12, 30)),
            ways=[way.value for way in Way],
        )
        chosen = list(dishes) or [self.dish(canteen, price_fen=price_fen)]
        menu.dishes = [
            MenuDish(dish=dish, capacity=Capacity(total=portions, taken=0), price_fen=dish.price_fen) for dish in chosen
        ]
        return self.add(menu)

    def order(
        self, menu: Menu, person: Person, *, by: Account | None = None, portions: int = 1, way: Way = Way.DINE_IN
    ) -> MealOrder:
        """An order of the menu's first dish, placed through the service with everything that goes with it."""
        account = by or self.resident(person)
        actor = Actor(account.id, account.public_id, account.name, account.platform, (), 0, now())
        with transaction():
            return orders.place_order(menu, person, portions={menu.dishes[0].id: portions}, way=way, by=actor)

    def accounts(self) -> list[Account]:
        """The accounts there are, newest first."""
        db.session.rollback()
        return list(db.session.scalars(sa.select(Account).order_by(Account.id.desc())))

    def read(self, row: Row) -> Row:
        """The row as the database has it now."""
        db.session.rollback()
        db.session.refresh(row)
        return row
