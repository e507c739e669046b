"""After a death: the account stands for nobody, nobody acts by it, teams and staff count the person no more; undone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db
from portal.core.sealing import blind
from portal.identity.models import Account, SignedSession
from portal.identity.permissions import Role
from portal.registry.models import (
    AgentState,
    Certificate,
    Claim,
    ClaimState,
    FamilyAgent,
    Person,
    Staff,
    StaffKind,
    TeamMember,
    VolunteerTeam,
)
from portal.registry.service.rights import looking
from tests.client import Client
from tests.make import Make
from tests.registry.family import Family, newest, text, undo


@pytest.fixture
def family(make: Make, client: Client) -> Family:
    return Family(make, client)


LEADS = '">队长</span>'


def die(family: Family, person: Person) -> None:
    typed = {"new_head": family.wife.public_id} if person is family.head else {}
    assert family.post(person, "death", **typed).status_code == 303


def agent_of(family: Family, account: Account, person: Person) -> FamilyAgent:
    return family.make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=person.id,
            principal_name=person.name,
            relation="家人",
            state=AgentState.ACCEPTED,
            until=today() + timedelta(days=30),
            requested_at=now(),
            decided_at=now(),
        )
    )


def claim_of(account: Account) -> Claim:
    query = sa.select(Claim).where(Claim.account_id == account.id).order_by(Claim.id.desc()).limit(1)
    return db.session.scalars(query).one()


def test_the_account_of_the_dead_is_signed_out_and_stands_for_nobody(family: Family) -> None:
    account = family.make.resident(family.head)
    theirs: Client = family.client.application.test_client()  # type: ignore[assignment]
    theirs.sign_in(account)
    assert theirs.get("/me").status_code == 200
    die(family, family.head)
    assert theirs.get("/me").status_code == 303
    live = sa.select(sa.func.count()).where(SignedSession.account_id == account.id, SignedSession.ended_at.is_(None))
    assert db.session.scalar(live) == 0
    assert claim_of(account).state is ClaimState.REFUSED
    theirs.sign_in(account)
    assert "本人已登记去世" in text(theirs.get("/me"))
    assert "张伟" not in text(theirs.get("/people/mine"))


def test_undoing_the_death_gives_the_account_back_with_those_it_acts_for(family: Family) -> None:
    account = family.make.resident(family.head)
    acts = agent_of(family, account, family.mother)
    die(family, family.head)
    assert family.make.read(acts).state is AgentState.ENDED
    assert undo(family.client, newest()).status_code == 303
    claim = claim_of(account)
    assert (claim.state, claim.person_id, claim.reason) == (ClaimState.CONFIRMED, family.head.id, "")
    assert family.make.read(acts).state is AgentState.ACCEPTED


def test_an_account_that_became_another_persons_meanwhile_stays_hers(family: Family) -> None:
    account = family.make.resident(family.head)
    acts = agent_of(family, account, family.mother)
    die(family, family.head)
    family.make.add(
        Claim(
            account_id=account.id,
            name="李芳",
            id_number=family.make.id_number(),
            id_index=blind("person.id_number", "x"),
            community_id=family.wife.community_id,
            state=ClaimState.CONFIRMED,
            person_id=family.wife.id,
            made_at=now(),
        )
    )
    assert undo(family.client, newest()).status_code == 303
    assert claim_of(account).person_id == family.wife.id
    old = sa.select(Claim.state).where(Claim.account_id == account.id, Claim.person_id == family.head.id)
    assert db.session.scalar(old) is ClaimState.REFUSED
    assert family.make.read(acts).state is AgentState.ENDED


def test_the_account_of_a_record_merged_into_the_dead_one_ends_too(family: Family) -> None:
    alias = family.make.person("张伟")
    account = family.make.resident(alias)
    db.session.execute(sa.update(Person).where(Person.id == alias.id).values(merged_into_id=family.head.id))
    db.session.commit()
    die(family, family.head)
    assert claim_of(account).state is ClaimState.REFUSED


# ---- Teams and staff ----


def test_a_team_marks_the_dead_and_counts_and_follows_them_no_more(family: Family) -> None:
    team = family.make.add(
        VolunteerTeam(community_id=family.head.community_id, name="春风队", leader_id=family.head.id)
    )
    for person in (family.head, family.son):
        family.make.add(TeamMember(team_id=team.id, person_id=person.id, since=today()))
    page = f"/desk/people/resources/teams/{team.id}"
    assert "队员（2 人）" in text(family.client.get(page))
    assert LEADS in text(family.client.get(page))
    die(family, family.head)
    html = text(family.client.get(page))
    assert "队员（1 人）" in html
    assert "已去世" in html
    assert LEADS not in html
    assert html.index("张明") < html.index("张伟</a>")
    printed = text(family.client.get("/desk/people/resources/print/teams"))
    assert "张*" not in printed
    member = db.session.scalars(sa.select(TeamMember).where(TeamMember.person_id == family.head.id)).one()
    assert "不能当队长" in text(family.client.post(f"{page}/members/{member.id}/lead", follow_redirects=True))
    undo(family.client, newest())
    html = text(family.client.get(page))
    assert "队员（2 人）" in html
    assert LEADS in html


def test_staff_who_died_leave_the_list_and_its_warnings_until_that_is_undone(family: Family) -> None:
    member = family.make.add(
        Staff(community_id=family.head.community_id, name="张伟", kind=StaffKind.CARER, person_id=family.head.id)
    )
    family.make.add(Certificate(staff_id=member.id, name="护理员证", expires_on=today()))
    page, one = "/desk/people/resources/staff", f"/desk/people/resources/staff/{member.public_id}"
    assert "共 1 人" in text(family.client.get(page))
    assert "证书到期或快到期" in text(family.client.get("/desk/"))
    die(family, family.head)
    assert "共 1 人" not in text(family.client.get(page))
    assert "已去世" in text(family.client.get(f"{page}?state=closed"))
    assert "已去世" in text(family.client.get(one))
    assert "证书到期或快到期" not in text(family.client.get("/desk/"))
    assert "先撤销去世登记" in text(family.client.post(f"{one}/return", follow_redirects=True))
    undo(family.client, newest())
    assert "共 1 人" in text(family.client.get(page))


def test_the_dead_cannot_be_matched_to_a_member_of_staff(family: Family) -> None:
    kind = next(iter(StaffKind))
    member = family.make.add(Staff(community_id=family.head.community_id, name="张伟", kind=kind))
    die(family, family.head)
    family.client.sign_in(family.make.worker(Role.COMMUNITY_WORKER))
    page = f"/desk/people/resources/staff/{member.public_id}/person"
    family.client.post(page, data={"person": family.head.public_id})
    assert family.make.read(member).person_id is None


def test_an_event_and_its_undo_are_among_the_looks_of_herself_and_of_her_family(family: Family) -> None:
    die(family, family.head)
    assert undo(family.client, newest(), "登记到了别人名下").status_code == 303
    head, wife = (looking.looks(family.make.read(person)).looks for person in (family.head, family.wife))
    assert [look.what for look in head] == ["撤销了登记的“去世”", "登记了“去世”"]
    assert [look.reason for look in head] == ["登记到了别人名下", ""]
    assert [look.what for look in wife] == [
        "撤销了家里人的“去世”，您的登记也改了回来",
        "登记了家里人的“去世”，您的登记也有改动",
    ]
    assert {look.name for look in [*head, *wife]} == {head[0].name} != {""}
    assert {look.role for look in [*head, *wife]} == {"社区工作者"}


def test_undoing_a_death_says_that_what_was_cancelled_stays_cancelled(family: Family) -> None:
    die(family, family.head)
    page = text(family.client.get(f"/desk/people/happenings/{newest().public_id}/undo"))
    assert "登记时已经取消的订餐、预约不会自动恢复" in page
