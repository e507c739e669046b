"""Accounts and signing in."""

from portal.identity.permissions import Role


def test_a_worker_can_be_made(make):
    assert make.worker().grants[0].role is Role.COMMUNITY_WORKER


def test_a_person_can_be_made(make):
    person = make.person()
    assert make.menu().dishes[0].capacity.left == 20
    assert make.read(person).id_number.startswith("999901")
