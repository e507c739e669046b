"""Workers' accounts: opened, given roles, stopped; what each change does at once."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.administration.service import accounts
from portal.areas.models import Area
from portal.core.access import Actor, Platform
from portal.core.audit import AuditRow
from portal.core.clock import day_bounds, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity import passwords
from portal.identity.models import Account, RoleGrant, SignedSession
from portal.identity.permissions import Role

PAGE = "/desk/administration/accounts"
FIRST_PASSWORD = re.compile(r'<p class="code">([^<]+)</p>')


@pytest.fixture
def chief(make):
    return make.worker(Role.SECURITY_ADMINISTRATOR, name="孙安")


@pytest.fixture
def security(client, chief):
    return client.sign_in(chief)


@pytest.fixture
def other(app):
    """A browser of the worker whose account is changed."""
    return app.test_client()


@pytest.fixture
def questions(make):
    """Every statement sent to the database, in order."""
    asked = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine, "before_cursor_execute", note)


def actions():
    return [row.action for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id))]


def opened(username="lihua"):
    return db.session.scalar(sa.select(Account).where(Account.username == username))


def role_page(account, role):
    return f"{PAGE}/{account.public_id}/roles/{role.value}"


def scope_of(area: Area) -> str:
    return f"{area.kind.value}:{area.code}"


def actor_of(account) -> Actor:
    return Actor(account.id, account.public_id, account.name, Platform.DESK, (), 1, now())


def is_in(browser):
    """Signed in, whatever she may open: who is not is sent to sign in."""
    return "/desk/account/sign-in" not in (browser.get(PAGE).location or "")


def test_an_account_is_opened_with_a_password_shown_once_and_never_kept(security):
    answer = security.post(f"{PAGE}/new", data={"name": "李华", "username": "LiHua"})
    first = FIRST_PASSWORD.search(answer.get_data(as_text=True)).group(1)
    made = opened()
    assert (made.name, made.platform, made.must_change_password) == ("李华", Platform.DESK, True)
    assert passwords.matches(first, made.password_hash, Platform.DESK)
    assert first not in security.get(f"{PAGE}/{made.public_id}").get_data(as_text=True)
    kept = [str(vars(row)) for row in db.session.scalars(sa.select(AuditRow))]
    assert not any(first in row for row in kept)
    assert "identity.account_opened" in actions()


def test_generated_passwords_differ_and_pass_our_own_rules():
    made = {passwords.generated() for _number in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check_new(password, Platform.DESK)


@pytest.mark.parametrize("opens", ["open", "reset"])
def test_a_password_is_hashed_before_any_transaction_begins(security, make, monkeypatch, opens):
    worker, seen = make.worker(), []
    hashed = passwords.hashed
    monkeypatch.setattr(passwords, "hashed", lambda *said: (seen.append(db.session.in_transaction()), hashed(*said))[1])
    address = f"{PAGE}/new" if opens == "open" else f"{PAGE}/{worker.public_id}/password"
    assert security.post(address, data={"name": "李华", "username": "lihua"}).status_code == 200
    assert seen == [False]


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"username": "worker1"}, "username", "已有人用"),  # the first worker of a test
        ({"username": ""}, "username", "请填用户名"),
        ({"username": "ab"}, "username", "3 到 40"),
        ({"username": "李华李华"}, "username", "只能用字母"),
        ({"name": ""}, "name", "请填姓名"),
        ({"name": "长" * 61}, "name", "最多 60 个字"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_beside_its_field(security, change, field, sentence):
    answer = security.post(f"{PAGE}/new", data={"name": "李华", "username": "lihua", **change})
    words = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in words.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert FIRST_PASSWORD.search(words) is None
    assert opened() is None


def test_the_list_names_roles_scopes_and_who_never_signed_in(security, make):
    make.worker(Role.COMMUNITY_WORKER, name="周洁")
    make.worker(Role.GRID_WORKER, make.grid(), name="吴格")
    make.worker(Role.CANTEEN_OPERATOR, name="王厨")
    words = security.get(PAGE).get_data(as_text=True)
    assert "社区工作者：春风里社区" in words
    assert "网格员：春风里社区 第一网格" in words
    assert "安全管理员：全部范围" in words
    assert "助餐点人员：春风里社区 春风里助餐点" in words
    assert "从未登录" in words
    assert "共 4 个账号" in words


def test_the_list_has_no_residents(security, make):
    resident = make.resident()
    assert resident.public_id not in security.get(PAGE).get_data(as_text=True)
    assert security.get(f"{PAGE}/{resident.public_id}").status_code == 404
    with pytest.raises(Missing):
        accounts.desk_account(resident.public_id)


def test_the_list_is_asked_by_name_user_name_and_role(security, make):
    worker = make.worker(Role.COMMUNITY_WORKER, name="周洁")
    make.worker(Role.CANTEEN_OPERATOR, name="王厨")

    def shown(**asked):
        words = security.get(PAGE, query_string=asked).get_data(as_text=True)
        return {name for name in ("周洁", "王厨") if name in words}

    assert shown(q="洁") == {"周洁"}
    assert shown(q=worker.username.upper()) == {"周洁"}
    assert shown(role="canteen_operator") == {"王厨"}
    assert shown(q="%") == set()
    assert "没有找到账号" in security.get(f"{PAGE}?q=nobody").get_data(as_text=True)
    assert security.get(f"{PAGE}?role=emperor").status_code == 422


def test_the_list_asks_no_more_questions_for_more_accounts(security, make, questions):
    counts = []
    for _number in range(2):
        for _account in range(5):
            make.worker(Role.COMMUNITY_WORKER)
            make.worker(Role.CANTEEN_OPERATOR)
        questions.clear()
        security.get(PAGE)
        counts.append(len([words for words in questions if words.startswith("SELECT")]))
    assert counts[0] == counts[1] <= 8


def test_a_role_is_granted_on_a_scope_until_the_end_of_a_day(security, make):
    worker, community = make.worker(), make.community("夏荷社区")
    day = today() + timedelta(days=30)
    sent = {"scope": scope_of(community), "until": day.isoformat()}
    assert security.post(role_page(worker, Role.COMMUNITY_WORKER), data=sent).status_code == 303
    grant = make.read(worker).grants[-1]
    assert (grant.role, grant.scope_kind, grant.scope_ref) == (Role.COMMUNITY_WORKER, "community", community.code)
    assert grant.until == day_bounds(day)[1]
    assert "identity.role_granted" in actions()
    words = security.get(f"{PAGE}/{worker.public_id}").get_data(as_text=True)
    assert "夏荷社区" in words
    assert "授予" in words


def test_a_role_without_a_last_day_is_for_good(security, make):
    worker = make.worker()
    security.post(role_page(worker, Role.GRID_WORKER), data={"scope": scope_of(make.grid()), "until": ""})
    assert make.read(worker).grants[-1].until is None


def test_only_scopes_of_the_roles_kind_that_exist_are_offered(security, make):
    worker, community, grid = make.worker(), make.community(), make.grid()
    words = security.get(role_page(worker, Role.COMMUNITY_WORKER)).get_data(as_text=True)
    assert scope_of(community) in words
    assert scope_of(grid) not in words
    for strange in (scope_of(grid), "community:000", "all:", "community", ""):
        answer = security.post(role_page(worker, Role.COMMUNITY_WORKER), data={"scope": strange})
        assert answer.status_code == 422
        assert 'id="scope-error"' in answer.get_data(as_text=True)
    assert len(make.read(worker).grants) == 1


def test_a_canteen_operator_is_given_one_canteen(security, make):
    worker, canteen = make.worker(Role.GRID_WORKER), make.canteen()
    words = security.get(role_page(worker, Role.CANTEEN_OPERATOR)).get_data(as_text=True)
    assert "春风里社区 春风里助餐点" in words
    sent = {"scope": f"canteen:{canteen.public_id}", "until": ""}
    assert security.post(role_page(worker, Role.CANTEEN_OPERATOR), data=sent).status_code == 303
    assert make.read(worker).grants[-1].scope_ref == canteen.public_id


def test_a_scope_that_is_gone_is_said_to_be_gone(security, make):
    worker = make.worker()
    with transaction() as session:
        session.get(Account, worker.id).grants[0].scope_ref = "000000000000"
    assert "社区工作者：范围已不存在" in security.get(PAGE).get_data(as_text=True)


def test_a_role_cannot_end_before_today(security, make):
    worker = make.worker()
    sent = {"scope": scope_of(make.grid()), "until": (today() - timedelta(days=1)).isoformat()}
    answer = security.post(role_page(worker, Role.GRID_WORKER), data=sent)
    assert answer.status_code == 422
    assert "不能早于今天" in answer.get_data(as_text=True).split('id="until-error"')[1]


@pytest.mark.parametrize("role", ["resident", "emperor"])
def test_a_role_that_is_not_the_desks_cannot_be_granted(security, make, role):
    assert security.get(f"{PAGE}/{make.worker().public_id}/roles/{role}").status_code == 404


@pytest.mark.parametrize("held", [Role.SYSTEM_ADMINISTRATOR, Role.AUDITOR, Role.COMMUNITY_WORKER])
def test_the_three_administrators_exclude_each_other_and_everything_else(security, make, held):
    worker = make.worker(held)
    answer = security.post(role_page(worker, Role.SECURITY_ADMINISTRATOR), data={"scope": "all:"})
    assert answer.status_code == 422
    assert "三者互斥" in answer.get_data(as_text=True)
    assert [grant.role for grant in make.read(worker).grants] == [held]


def test_the_same_role_on_the_same_scope_is_not_granted_twice(security, make):
    worker = make.worker()
    sent = {"scope": scope_of(make.community())}
    answer = security.post(role_page(worker, Role.COMMUNITY_WORKER), data=sent)
    assert answer.status_code == 422
    assert "已有该范围上的这个角色" in answer.get_data(as_text=True)


def _revoke(security, worker, make):
    return f"{PAGE}/{worker.public_id}/roles/{worker.grants[0].id}/revoke", {}


def _grant(security, worker, make):
    return role_page(worker, Role.GRID_WORKER), {"scope": scope_of(make.grid())}


def _button(name):
    return lambda security, worker, make: (f"{PAGE}/{worker.public_id}/{name}", {})


CHANGES = {
    "identity.role_granted": _grant,
    "identity.role_revoked": _revoke,
    "identity.account_disabled": _button("disable"),
    "identity.password_reset": _button("password"),
    "identity.totp_reset": _button("totp"),
}


@pytest.mark.parametrize("action", CHANGES)
def test_who_is_changed_is_signed_out_at_once_and_it_is_on_record(security, other, make, action):
    worker = make.worker()
    other.sign_in(worker)
    assert is_in(other)
    address, sent = CHANGES[action](security, worker, make)
    assert security.post(address, data=sent).status_code in {200, 303}
    assert not is_in(other)
    assert action in actions()


@pytest.mark.parametrize("action", CHANGES)
def test_nobody_changes_her_own_account(security, chief, make, action):
    before = (chief.epoch, len(chief.grants), chief.password_hash)
    address, sent = CHANGES[action](security, chief, make)
    answer = security.post(address, data=sent)
    assert answer.status_code == 422
    assert "请另一位安全管理员办理" in answer.get_data(as_text=True)
    chief = make.read(chief)
    assert (chief.epoch, len(chief.grants), chief.password_hash, chief.disabled_at) == (*before, None)
    with pytest.raises(Refused):
        accounts.account_to_change(chief.public_id, by=actor_of(chief))


def test_her_own_page_has_no_buttons(security, chief):
    words = security.get(f"{PAGE}/{chief.public_id}").get_data(as_text=True)
    assert "这是您自己的账号" in words
    assert "停用账号" not in words
    assert "收回" not in words


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_asks_for_the_password_when_it_was_not_given_lately(security, make, action):
    worker = make.worker()
    with transaction() as session:
        long_ago = now() - timedelta(minutes=6)
        session.execute(sa.update(SignedSession).values(authenticated_at=long_ago))
    address, sent = CHANGES[action](security, worker, make)
    came_from = f"{PAGE}/{worker.public_id}"
    answer = security.post(address, data=sent, headers={"Referer": f"http://localhost{came_from}"})
    assert answer.location.startswith("/desk/account/confirm?next=")
    assert worker.public_id in answer.location
    assert action not in actions()


def test_a_disabled_account_can_be_used_again_but_its_old_sessions_stay_ended(security, other, make):
    worker = make.worker()
    other.sign_in(worker)
    security.post(f"{PAGE}/{worker.public_id}/disable")
    assert "已停用" in security.get(PAGE).get_data(as_text=True)
    security.post(f"{PAGE}/{worker.public_id}/enable")
    assert not is_in(other)
    other.sign_in(make.read(worker))
    assert is_in(other)
    assert {"identity.account_disabled", "identity.account_enabled"} <= set(actions())


def test_a_reset_password_is_shown_once_and_must_be_changed(security, make):
    worker = make.worker()
    answer = security.post(f"{PAGE}/{worker.public_id}/password")
    first = FIRST_PASSWORD.search(answer.get_data(as_text=True)).group(1)
    worker = make.read(worker)
    assert worker.must_change_password
    assert passwords.matches(first, worker.password_hash, Platform.DESK)
    assert first not in security.get(f"{PAGE}/{worker.public_id}").get_data(as_text=True)


def test_a_lost_authenticator_is_forgotten(security, make):
    worker = make.worker()
    with transaction() as session:
        session.get(Account, worker.id).totp_secret = "JBSWY3DPEHPK3PXP"
    assert "已绑定" in security.get(f"{PAGE}/{worker.public_id}").get_data(as_text=True)
    security.post(f"{PAGE}/{worker.public_id}/totp")
    assert make.read(worker).totp_secret is None


def test_a_role_that_has_ended_is_shown_so_and_can_be_taken_away(security, make):
    worker = make.worker()
    with transaction() as session:
        session.get(Account, worker.id).grants[0].until = now() - timedelta(minutes=1)
    assert "已到期" in security.get(PAGE).get_data(as_text=True)
    security.post(f"{PAGE}/{worker.public_id}/roles/{worker.grants[0].id}/revoke")
    assert make.read(worker).grants == []
    assert "还没有角色" in security.get(f"{PAGE}/{worker.public_id}").get_data(as_text=True)


def test_somebody_elses_role_is_not_taken_away_through_an_account(security, make):
    worker, colleague = make.worker(), make.worker()
    address = f"{PAGE}/{worker.public_id}/roles/{colleague.grants[0].id}/revoke"
    assert security.post(address).status_code == 404
    assert len(make.read(colleague).grants) == 1


def test_of_two_roles_given_at_once_the_second_sees_the_first(make, chief):
    account = make.worker()
    with transaction() as session:
        changed = session.get_one(Account, account.id)
        assert [held.role for held in changed.grants] == [Role.COMMUNITY_WORKER]
        first = (
            sa.update(RoleGrant).where(RoleGrant.account_id == account.id).values(role=Role.AUDITOR, scope_kind="all")
        )
        session.execute(first, execution_options={"synchronize_session": False})
        with pytest.raises(Refused, match="互斥"):
            accounts.grant_role(changed, Role.GRID_WORKER, scope=f"grid:{make.community().code}")
