"""Who has used how much: asked before work begins, told when it has ended. REST, pages and sockets all count here.

A request with an API key counts for its user and for the key; whichever has less left decides. Minutes begin with
the first request, days at midnight UTC.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.accounts.models import ApiKey, User
from webapp.errors import Busy
from webapp.limits import allowed, store

MINUTE_MS = 60_000
DAYS_KEPT = 31
WHEN_SLOTS_ARE_TAKEN_SECONDS = 2

Kind = Literal["requests", "tokens", "at_once", "jobs"]


@dataclass(frozen=True)
class Standing:
    """How much of one limit is used; `whose` is "user" or "key"."""

    kind: Kind
    limit: int
    used: int
    resets_in_seconds: int
    window_seconds: int
    whose: Literal["user", "key"] = "user"

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def high(self) -> int:
        """From here on little is left."""
        return self.limit * 4 // 5

    @property
    def name(self) -> str:
        """Of the policy, as the headers and refusals say it."""
        words = {"requests": "requests-per-minute", "tokens": "tokens-per-day", "at_once": "at-once",
                 "jobs": "jobs-per-day"}[self.kind]
        return words if self.whose == "user" else f"key-{words}"


class LimitReached(Busy):
    """One of the limits is used up."""

    def __init__(self, standing: Standing, standings: Sequence[Standing] = ()) -> None:
        sentences = {
            "requests": _("At most %(limit)s requests a minute may be made."),
            "tokens": _("At most %(limit)s tokens a day may be read and written."),
            "at_once": _("At most %(limit)s answers, summaries or translations may be under way at once."),
            "jobs": _("At most %(limit)s jobs a day may be started."),
        }
        super().__init__(sentences[standing.kind] % {"limit": f"{standing.limit:,}"} + " " + _again(standing))
        self.standing, self.standings = standing, standings
        self.retry_after_seconds = max(1, standing.resets_in_seconds)


@dataclass(frozen=True)
class _Counter:
    standing: Standing
    entry: store.Entry


def admit(
    user: User | AnonymousUser, *, stranger: str = "", requests: int = 1, uses_tokens: bool = False
) -> list[Standing]:
    """Count a request, and tell how the caller stands then. Raises LimitReached.

    Args:
        stranger: what somebody unknown is counted as, such as their address.
        uses_tokens: refuse when no tokens are left.
    """
    return _spent(_counters(user, stranger, requests, uses_tokens))


def start_jobs(user: User | None, number: int = 1) -> None:
    """Count jobs that are about to be started. Raises LimitReached. None: the site itself starts them."""
    if user is not None:
        _spent([_day(_subject(user), "jobs", allowed.of(user).jobs_per_day, number, True)])


def charge(user: User | AnonymousUser, tokens: int, *, stranger: str = "") -> None:
    """Count tokens that were read and written, though they may use up more than was left."""
    subjects = [_subject(user, stranger)] + ([f"key-{user.via_key.pk}"] if _key_of(user) else [])
    if tokens > 0:
        store.spend([store.Entry(_day_key("tokens", one), tokens, _DAY_LASTS_MS) for one in subjects])


def slots_key(user: User | AnonymousUser, stranger: str = "") -> str:
    return f"wenda:slots:{_subject(user, stranger)}"


def take_slot(user: User | AnonymousUser, name: str, *, stranger: str = "") -> None:
    """One of those that may be under way at once. Raises LimitReached."""
    limit = allowed.of(user).at_once
    if not store.hold(slots_key(user, stranger), name, limit):
        raise LimitReached(_at_once(limit, limit))


def check_slots(user: User | AnonymousUser, stranger: str = "") -> None:
    """Raise LimitReached when as much is under way as may be. What then begins takes its slot itself."""
    limit = allowed.of(user).at_once
    if store.held(slots_key(user, stranger)) >= limit:
        raise LimitReached(_at_once(limit, limit))


def standings(user: User) -> list[Standing]:
    """All that is used, to be shown."""
    most = allowed.of(user)
    jobs = _day(_subject(user), "jobs", most.jobs_per_day, 0, False)
    found = _spent([*_counters(user, "", 0, False), jobs])
    return [*found, _at_once(most.at_once, store.held(slots_key(user)))]


@dataclass(frozen=True)
class Day:
    day: date
    tokens: int
    jobs: int


def days(user: User, number: int) -> list[Day]:
    """What was used on the last days, the latest first."""
    dates = [_now().date() - timedelta(days=back) for back in range(number)]
    tokens = store.numbers([_day_key("tokens", _subject(user), day) for day in dates])
    jobs = store.numbers([_day_key("jobs", _subject(user), day) for day in dates])
    return [Day(*each) for each in zip(dates, tokens, jobs, strict=True)]


def tightest(standings: Sequence[Standing], kind: Kind) -> Standing | None:
    """Of those of one kind the one with the least left."""
    return min((one for one in standings if one.kind == kind), key=lambda one: one.remaining, default=None)


def _subject(user: User | AnonymousUser, stranger: str = "") -> str:
    return f"user-{user.pk}" if user.is_authenticated else stranger or "strangers"


def _key_of(user: User | AnonymousUser) -> ApiKey | None:
    return user.via_key if user.is_authenticated else None


def _counters(user: User | AnonymousUser, stranger: str, requests: int, uses_tokens: bool) -> list[_Counter]:
    most, subject, key = allowed.of(user), _subject(user, stranger), _key_of(user)
    found = [_minute(subject, most.requests_per_minute, requests),
             _day(subject, "tokens", most.tokens_per_day, 0, uses_tokens)]
    if key is not None and key.requests_per_minute:
        found.append(_minute(f"key-{key.pk}", key.requests_per_minute, requests, "key"))
    if key is not None and key.tokens_per_day:
        found.append(_day(f"key-{key.pk}", "tokens", key.tokens_per_day, 0, uses_tokens, "key"))
    return found


def _minute(subject: str, limit: int, cost: int, whose: Literal["user", "key"] = "user") -> _Counter:
    entry = store.Entry(f"wenda:minute:{subject}", cost, MINUTE_MS, limit if cost else None)
    return _Counter(Standing("requests", limit, 0, 60, 60, whose), entry)


def _day(
    subject: str, kind: Literal["tokens", "jobs"], limit: int, cost: int, refuses: bool,
    whose: Literal["user", "key"] = "user",
) -> _Counter:
    now = _now()
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    entry = store.Entry(_day_key(kind, subject), cost, _DAY_LASTS_MS, limit if refuses else None)
    return _Counter(Standing(kind, limit, 0, math.ceil((midnight - now).total_seconds()), 86_400, whose), entry)


def _day_key(kind: str, subject: str, day: date | None = None) -> str:
    return f"wenda:day:{kind}:{subject}:{day or _now().date()}"


_DAY_LASTS_MS = DAYS_KEPT * 86_400_000


def _spent(counters: Sequence[_Counter]) -> list[Standing]:
    """Spend on all; how each stands then. LimitReached when one refuses; nothing to tell without Redis."""
    done = store.spend([one.entry for one in counters])
    if done is None:
        return []
    found = []
    for one, used, ends_in_ms in zip(counters, done.used, done.ends_in_ms, strict=True):
        standing = replace(one.standing, used=used)
        if standing.kind == "requests" and ends_in_ms > 0:
            standing = replace(standing, resets_in_seconds=math.ceil(ends_in_ms / 1000))
        found.append(standing)
    if done.refused is not None:
        raise LimitReached(found[done.refused], found)
    return found


def _at_once(limit: int, used: int) -> Standing:
    return Standing("at_once", limit, used, WHEN_SLOTS_ARE_TAKEN_SECONDS, 0)


def _now() -> datetime:
    return datetime.now(UTC)


def _again(standing: Standing) -> str:
    if standing.kind == "at_once":
        return _("Wait for one of them.")
    if standing.kind == "requests":
        seconds = max(1, standing.resets_in_seconds)
        return ngettext("Go on in %(number)s second.", "Go on in %(number)s seconds.", seconds) % {"number": seconds}
    return _("Go on after midnight UTC, or ask an administrator for more.")
