"""What each person and each key may use is counted once, for REST, sockets and pages alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st

from webapp.accounts.services import create_api_key, key_holder
from webapp.limits import headers, meter, store, stranger, tokens
from webapp.limits.models import Quota
from webapp.limits.slots import Slot

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(settings, redis_url):
    """`limits(requests_per_minute=3)`: the site's limits from now on."""

    def limits(**own: int) -> None:
        most = {"requests_per_minute": 100, "tokens_per_day": 1000, "at_once": 4, "jobs_per_day": 10}
        settings.LIMITS = {**most, **own}

    limits()
    return limits


def test_requests_are_counted_down_and_then_refused_until_the_minute_ends(alice, limits):
    limits(requests_per_minute=2)
    left = [meter.tightest(meter.admit(alice), "requests").remaining for _ in range(2)]
    assert left == [1, 0]
    with pytest.raises(meter.LimitReached) as refused:
        meter.admit(alice)
    assert 1 <= refused.value.retry_after_seconds <= 60
    assert "2 requests a minute" in refused.value.message


def test_a_refused_request_is_not_counted(alice, limits):
    limits(requests_per_minute=1)
    meter.admit(alice)
    for _ in range(3):
        with pytest.raises(meter.LimitReached):
            meter.admit(alice)
    assert meter.tightest(meter.standings(alice), "requests").used == 1


def test_one_persons_use_is_not_anothers(alice, bob, limits):
    limits(requests_per_minute=1)
    meter.admit(alice)
    meter.admit(bob)


def test_the_last_requests_are_not_given_twice_to_those_who_come_at_once(alice, limits):
    limits(requests_per_minute=5)
    entry = store.Entry("wenda:test", 1, 60_000, 5)
    with ThreadPoolExecutor(8) as many:
        done = list(many.map(lambda _: store.spend([entry]).refused is None, range(24)))
    assert sum(done) == 5


def test_a_keys_own_limit_counts_beside_its_users(alice, limits):
    limits(requests_per_minute=3)
    narrow, secret = create_api_key(alice, "narrow")
    narrow.requests_per_minute = 1
    narrow.save()
    holder = key_holder(secret)
    meter.admit(holder)
    with pytest.raises(meter.LimitReached) as refused:
        meter.admit(holder)
    assert refused.value.standing.name == "key-requests-per-minute"
    assert meter.tightest(meter.admit(alice), "requests").used == 2, "what the key was refused is not counted"


def test_tokens_are_charged_afterwards_and_refuse_what_needs_some(alice, limits):
    limits(tokens_per_day=10)
    meter.admit(alice, uses_tokens=True)
    meter.charge(alice, 12)
    meter.admit(alice)
    with pytest.raises(meter.LimitReached) as refused:
        meter.admit(alice, uses_tokens=True)
    assert refused.value.standing.name == "tokens-per-day"
    assert meter.days(alice, 1)[0].tokens == 12


def test_an_administrators_quota_takes_the_place_of_the_sites(alice, limits):
    limits(requests_per_minute=100)
    Quota.objects.create(user=alice, requests_per_minute=1)
    assert {one.kind: one.limit for one in meter.standings(alice)}["tokens"] == 1000
    meter.admit(alice)
    with pytest.raises(meter.LimitReached):
        meter.admit(alice)


def test_jobs_of_a_day_are_counted_together(alice, limits):
    limits(jobs_per_day=3)
    meter.start_jobs(alice, 3)
    with pytest.raises(meter.LimitReached, match="midnight"):
        meter.start_jobs(alice)
    meter.start_jobs(None, 5)


def test_strangers_are_counted_by_where_they_come_from(limits):
    limits(requests_per_minute=1)
    meter.admit(AnonymousUser(), stranger="address-10.0.0.1")
    meter.admit(AnonymousUser(), stranger="address-10.0.0.2")
    with pytest.raises(meter.LimitReached):
        meter.admit(AnonymousUser(), stranger="address-10.0.0.1")


def test_nothing_is_refused_or_told_while_redis_is_away(alice, settings):
    settings.LIMITS = {name: 1 for name in settings.LIMITS}
    for _ in range(3):
        assert meter.admit(alice, uses_tokens=True) == []
        meter.start_jobs(alice)
        Slot(alice).take()


@pytest.mark.django_db(transaction=True)
async def test_a_slot_is_free_again_when_its_work_has_ended(alice, limits):
    from asgiref.sync import sync_to_async

    await sync_to_async(limits)(at_once=1)
    slot = await sync_to_async(Slot(alice).take)()
    with pytest.raises(meter.LimitReached):
        await sync_to_async(Slot(alice).take)()
    async with slot:
        pass
    await sync_to_async(Slot(alice).take)()


def test_a_slot_that_its_holder_left_ends_by_itself(alice, limits, monkeypatch):
    limits(at_once=1)
    monkeypatch.setattr(store, "SLOT_MS", 1)
    Slot(alice).take()
    while store.held(meter.slots_key(alice)):
        pass
    Slot(alice).take()


@given(st.text(max_size=200), st.text(max_size=200))
def test_tokens_of_two_texts_apart_are_those_of_each(one, other):
    assert tokens.count(f"{one} {other}") == tokens.count(one) + tokens.count(other)


def test_headers_name_every_policy_and_openais_spans_are_written_as_theirs():
    standings = [meter.Standing("requests", 60, 20, 7, 60), meter.Standing("tokens", 1000, 1200, 3661, 86_400)]
    told = dict(headers.of_draft(standings))
    assert told["RateLimit-Policy"] == '"requests-per-minute";q=60;w=60, "tokens-per-day";q=1000;w=86400'
    assert told["RateLimit"] == '"requests-per-minute";r=40;t=7, "tokens-per-day";r=0;t=3661'
    assert (told["RateLimit-Limit"], told["RateLimit-Remaining"], told["RateLimit-Reset"]) == ("60", "40", "7")
    openai = dict(headers.of_openai(standings))
    assert openai["x-ratelimit-reset-requests"] == "7s" and openai["x-ratelimit-reset-tokens"] == "1h1m1s"
    assert openai["x-ratelimit-remaining-tokens"] == "0"


@pytest.mark.parametrize(("one", "other", "same"), [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:0:9:8", True), ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("192.0.2.1", "192.0.2.2", False), ("::ffff:192.0.2.1", "192.0.2.1", True), ("fe80::1%eth0", "fe80::2", True),
    ("", "192.0.2.1", False), ("unix:", "unix:", True),
])
def test_somebody_unknown_is_counted_by_address_and_by_network_where_one_has_many(one, other, same):
    assert (stranger.named(one) == stranger.named(other)) is same
    assert len(stranger.named(one)) <= 64
