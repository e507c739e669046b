"""The whole way of a place, through HTTP: booked, waited for, given up, handed over, checked in, rated."""

import re
from datetime import timedelta

import time_machine

from portal.catalogue.jobs import lapse, remind
from portal.catalogue.models.appointments import Channel
from portal.catalogue.service import appointments, checking_in
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.notifications.jobs import deliver
from tests.acting import actor_of
from tests.catalogue.bookings import a_calendar, a_slot, an_agent, book, item_of, join, taken, told
from tests.catalogue.tables import an_item, clock_at
from tests.counting import count_queries


def _the_one(make, person):
    """The latest appointment of a person."""
    return appointments.of_person(make.read(person))[0]


def _slot_page(slot, person=None):
    who = f"?person={person.public_id}" if person else ""
    return f"/services/{item_of(slot).id}/slots/{slot.id}{who}"


def _idem(page):
    return re.search(r'name="idem"[^>]*value="([^"]+)"', page.text).group(1)


def _book_and_wait(app, make, slot, people):
    """The first books, the others find the slot full and wait; their browsers, with their accounts."""
    phones = {person: app.test_client().sign_in(make.resident(person)) for person in people}
    first, *others = people
    assert "最早能约" in phones[first].get(f"/services/{item_of(slot).id}/book").text
    page = phones[first].get(_slot_page(slot))
    answer = phones[first].post(_slot_page(slot), data={"idem": _idem(page), "note": "带轮椅"})
    page = phones[first].get(answer.location)
    assert _the_one(make, first).code in page.text
    assert "<svg" in page.text
    for who in others:
        assert "约满了" in phones[who].get(_slot_page(slot)).text
        assert phones[who].post(f"{_slot_page(slot)}/wait").status_code == 303
    return phones


def _line_of(phone):
    """The address of what somebody waits for."""
    return re.search(r"/services/waiting/\w+", phone.get("/services/appointments").text).group(0)


def _give_up_and_hand_over(make, slot, phones, people):
    """The first cancels; the second hears of it and declines; the third takes the place."""
    first, second, third = people
    assert "排在第 2 位" in phones[third].get(_line_of(phones[third])).text
    mine = _the_one(make, first)
    assert phones[first].post(f"/services/appointments/{mine.public_id}/cancel", data={}).status_code == 303
    assert (taken(slot), len(told("place_offered", second))) == (1, 1)
    deliver()
    assert "有名额了" in phones[second].get("/notices/").text
    offer = _line_of(phones[second])
    assert "要这个名额" in phones[second].get(offer).text
    assert phones[second].post(f"{offer}/leave").status_code == 303
    assert len(told("place_offered", third)) == 1
    assert phones[third].post(f"{_line_of(phones[third])}/take").status_code == 303
    assert taken(slot) == 1


def test_a_place_is_booked_waited_for_given_up_handed_over_checked_in_and_rated(app, make):
    people = [make.person("王秀英"), make.person("李建国"), make.person("赵桂兰")]
    with clock_at("08:00"):
        slot = a_slot(make, an_item(make, "理发"), starts=now() + timedelta(days=1, hours=2))
        phones = _book_and_wait(app, make, slot, people)
        _give_up_and_hand_over(make, slot, phones, people)
    last = people[2]
    with time_machine.travel(slot.starts_at - timedelta(hours=2), tick=False):
        remind()
        remind()
        assert len(told("appointment_reminder", last)) == 1
    made = _the_one(make, last)
    with time_machine.travel(slot.starts_at - timedelta(minutes=10), tick=False):
        desk = app.test_client().sign_in(make.worker())
        assert desk.post("/desk/services/check-in", data={"code": checking_in.token(made)}).status_code == 303
    with time_machine.travel(slot.ends_at, tick=False):
        desk = app.test_client().sign_in(make.accounts()[0])
        assert desk.post(f"/desk/services/appointments/{made.public_id}/serve").status_code == 303
        account = next(one for one in make.accounts() if one.name == last.name)
        _rate(app.test_client().sign_in(account), made)


def _rate(phone, made):
    address = f"/services/appointments/{made.public_id}/rate"
    assert "请评价" in phone.get("/services/appointments").text
    assert phone.post(address, data={"rating": "dissatisfied"}).status_code == 422
    assert phone.post(address, data={"rating": "satisfied", "words": "手艺好"}).status_code == 303
    assert "手艺好" in phone.get(f"/services/appointments/{made.public_id}").text


def test_an_offer_that_nobody_answers_goes_to_the_next(app, make):
    holder, second, third = make.person("王秀英"), make.person("李建国"), make.person("赵桂兰")
    slot = a_slot(make, starts=now() + timedelta(days=3))
    phone = {name: app.test_client().sign_in(make.resident(name)) for name in (holder, second, third)}
    phone[holder].post(_slot_page(slot))
    for who in (second, third):
        phone[who].post(_slot_page(slot).split("?")[0] + "/wait")
    phone[holder].post(f"/services/appointments/{_the_one(make, holder).public_id}/cancel")
    with time_machine.travel(now() + timedelta(hours=13), tick=False):
        lapse()
        lapse()
    assert len(told("place_lapsed", second)) == 1
    assert len(told("place_offered", third)) == 1
    assert taken(slot) == 1


def test_a_daughter_books_for_her_mother_and_moves_it(app, make):
    mother, daughter = make.person("王秀英"), make.person("李小红")
    item = an_item(make)
    calendar = a_calendar(make, item)
    slot = a_slot(make, timetable=calendar, places=3)
    later = a_slot(make, timetable=calendar, starts=slot.starts_at + timedelta(hours=1), places=3)
    phone = app.test_client().sign_in(an_agent(make, mother, daughter))
    assert "给王秀英约" in phone.get(f"/services/{item.id}/book").text
    assert phone.post(_slot_page(slot, mother)).status_code == 303
    made = _the_one(make, mother)
    assert made.channel is Channel.AGENT
    move = f"/services/appointments/{made.public_id}/move?day={later.day}&slot={later.id}"
    assert "确定改到这个时间" in phone.get(move).text
    answer = phone.post(move)
    assert answer.status_code == 303
    assert (taken(slot), taken(later)) == (0, 1)
    moved = _the_one(make, mother)
    assert (moved.code, moved.starts_at) == (made.code, later.starts_at)
    assert "加入手机日历" in phone.get(f"/services/appointments/{made.public_id}").text


def test_a_neighbours_appointment_does_not_exist(app, make):
    mother = make.person("王秀英")
    slot = a_slot(make)
    app.test_client().sign_in(make.resident(mother)).post(_slot_page(slot))
    made = _the_one(make, mother)
    neighbour = app.test_client().sign_in(make.resident(make.person("张三")))
    for page in ("", "/move", "/cancel", "/rate", "/calendar"):
        assert neighbour.get(f"/services/appointments/{made.public_id}{page}").status_code == 404
    meals_only = app.test_client().sign_in(an_agent(make, mother, actions="meals.order"))
    assert meals_only.get(f"/services/appointments/{made.public_id}").status_code == 404


def test_an_account_without_a_person_may_look_and_not_book(app, make):
    slot = a_slot(make)
    phone = app.test_client().sign_in(make.resident())
    assert "身份核对" in phone.get(f"/services/{item_of(slot).id}/book").text
    assert "身份核对" in phone.get(_slot_page(slot)).text
    assert phone.get("/services/appointments").status_code == 200


def test_the_pages_of_booking_ask_no_more_for_many_rows_than_for_few(app, make):
    person, item = make.person(), an_item(make)
    with transaction():
        db.session.merge(item).per_day = None
    calendar, account = a_calendar(make, item), make.resident(person)
    phone, counts = app.test_client().sign_in(account), []
    for number in range(5):
        slot = a_slot(make, timetable=calendar, starts=now() + timedelta(days=1, minutes=31 * number), places=1)
        book(make, slot, person, by=actor_of(account))
        full = a_slot(make, timetable=calendar, starts=now() + timedelta(days=5, minutes=31 * number), places=1)
        book(make, full, make.person("张三"))
        join(make, full, person, by=actor_of(account))
        if number in {0, 4}:
            counts.append([_asked(phone, page) for page in ("/services/appointments", f"/services/{item.id}/book")])
    assert counts[0] == counts[1]
    assert max(counts[1]) <= 8, counts


def _asked(phone, page):
    with count_queries() as asked:
        assert phone.get(page).status_code == 200
    return len(asked)
