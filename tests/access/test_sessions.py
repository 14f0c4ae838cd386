"""Sessions, links and tokens: what lets a person in, and everything that keeps them out."""

from datetime import timedelta

import pytest

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Invalid, SignInNeeded, TooMany

from .conftest import Office

SECRET = "a long password"


def let_in(office: Office) -> str:
    people.change_person(SYSTEM, office.sue.person_id or 0, password=SECRET)
    return sessions.sign_in("sue", SECRET, "10.0.0.1", "Firefox/1 Linux")


def test_a_person_signs_in_with_the_right_password_only(office: Office) -> None:
    found = sessions.find_signed_in(let_in(office))
    assert found is not None and found.actor.name == "Sue"
    for account, password in (("sue", "wrong"), ("nobody", SECRET), ("boss", "")):
        with pytest.raises(Invalid, match="Account or password is wrong"):
            sessions.sign_in(account, password, "10.0.0.2")


def test_an_unknown_account_costs_the_same_work_as_a_wrong_password(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(office)
    verified: list[str] = []

    class Watched:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return False

    monkeypatch.setattr(people, "_hasher", Watched())
    for account in ("sue", "nobody", "boss"):
        with pytest.raises(Invalid):
            sessions.sign_in(account, "wrong", "10.0.0.2")
    assert len(verified) == 3 and all(stored.startswith("$argon2id$") for stored in verified)


@pytest.mark.parametrize("who", ["account", "address"])
def test_guessing_is_limited_for_each_account_and_each_address(office: Office, who: str) -> None:
    let_in(office)
    for n in range(sessions.GUESSES):
        account, address = ("sue", f"10.1.0.{n}") if who == "account" else (f"nobody{n}", "10.0.0.9")
        with pytest.raises(Invalid):
            sessions.sign_in(account, "wrong", address)
    with pytest.raises(TooMany):
        sessions.sign_in("sue", SECRET, "10.2.0.1" if who == "account" else "10.0.0.9")
    with clock.stopped_at(clock.now() + sessions.GUESS_WINDOW + timedelta(seconds=1)):
        assert sessions.sign_in("sue", SECRET, "10.0.0.9")


@pytest.mark.parametrize(
    "change", [{"active": False}, {"password": "another password"}, {"roles": []}, {"administrator": True}]
)
def test_a_session_ends_when_rights_or_password_change(office: Office, change: dict[str, object]) -> None:
    secret = let_in(office)
    people.change_person(SYSTEM, office.sue.person_id or 0, **change)
    assert sessions.find_signed_in(secret) is None


def test_a_session_ends_when_it_lies_idle_and_at_its_end(office: Office) -> None:
    secret, start = let_in(office), clock.now()
    with clock.stopped_at(start + timedelta(hours=sessions.IDLE_HOURS - 1)):
        assert sessions.find_signed_in(secret) is not None
    with clock.stopped_at(start + timedelta(hours=2 * sessions.IDLE_HOURS - 2)):
        assert sessions.find_signed_in(secret) is not None
    with clock.stopped_at(start + timedelta(hours=3 * sessions.IDLE_HOURS)):
        assert sessions.find_signed_in(secret) is None
        assert sessions.list_sessions(office.sue.person_id or 0) == []


def test_one_session_or_all_can_be_ended(office: Office) -> None:
    first = let_in(office)
    second = sessions.sign_in("sue", SECRET, "10.0.0.1")
    sessions.end_session(office.ben, sessions.digest(second))
    assert sessions.find_signed_in(second) is not None, "nobody ends a session of somebody else"
    sessions.end_session(office.sue, sessions.digest(second))
    assert sessions.find_signed_in(second) is None and sessions.find_signed_in(first) is not None
    sessions.sign_out_everywhere(office.sue, office.sue.person_id or 0)
    assert sessions.find_signed_in(first) is None


def test_a_password_link_works_once_and_not_for_ever(office: Office) -> None:
    sue = office.sue.person_id or 0
    link = sessions.add_password_link(office.boss, sue)
    assert sessions.use_link(link, "", "", SECRET) == sue
    assert sessions.sign_in("sue", SECRET, "10.0.0.1")
    for use in (lambda: sessions.use_link(link, "", "", SECRET), lambda: sessions.get_link(link)):
        with pytest.raises(SignInNeeded):
            use()
    late = sessions.add_password_link(office.boss, sue)
    with (
        clock.stopped_at(clock.now() + timedelta(hours=sessions.LINK_HOURS, seconds=1)),
        pytest.raises(SignInNeeded),
    ):
        sessions.use_link(late, "", "", SECRET)


def test_a_link_dies_with_the_account_and_with_another_password(office: Office) -> None:
    sue = office.sue.person_id or 0
    for change in ({"password": SECRET}, {"active": False}):
        link = sessions.add_password_link(office.boss, sue)
        people.change_person(SYSTEM, sue, **change)
        with pytest.raises(SignInNeeded):
            sessions.use_link(link, "", "", SECRET)
    with pytest.raises(Invalid, match="not active"):
        sessions.add_password_link(office.boss, sue)


def test_a_token_works_until_it_is_revoked_or_its_person_is_gone(office: Office) -> None:
    token = sessions.add_token(office.sue, "script", days=30)
    assert sessions.find_signed_in(token, by_token=True) is not None
    assert sessions.find_signed_in(token) is None, "a token is no session"
    with clock.stopped_at(clock.now() + timedelta(days=31)):
        assert sessions.find_signed_in(token, by_token=True) is None
    people.change_person(SYSTEM, office.sue.person_id or 0, active=False)
    assert sessions.find_signed_in(token, by_token=True) is None


def test_one_s_own_password_is_changed_only_by_who_knows_it(office: Office) -> None:
    let_in(office)
    for current, new, again, wrong in (
        ("guess", "new password", "new password", "present password"),
        (SECRET, "new password", "different", "not the same"),
        (SECRET, "short", "short", "at least 10"),
    ):
        with pytest.raises(Invalid, match=wrong):
            sessions.change_password(office.sue, current, new, again)
    sessions.change_password(office.sue, SECRET, "new password", "new password")
    assert sessions.sign_in("sue", "new password", "10.0.0.1")
