"""robots.txt, as RFC 9309 has it read."""

from __future__ import annotations

import time

import pytest

from webapp.knowledge.web import robots


@pytest.mark.parametrize(("text", "target", "allowed"), [
    ("", "/x", True), ("User-agent: *\nDisallow: /", "/x", False), ("User-agent: *\nDisallow:", "/x", True),
    ("User-agent: other\nDisallow: /", "/x", True), ("user-agent: WENDA/1.0\ndisallow: /a", "/a/b", False),
    ("User-agent: *\nDisallow: /\n\nUser-agent: wenda\nAllow: /", "/x", True),
    ("User-agent: a\nUser-agent: *\nDisallow: /a", "/a", False),
    ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
    ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
    ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True), ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
    ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True), ("User-agent: *\nDisallow: /a*c", "/abbbc/d", False),
    ("User-agent: *\nDisallow: /x$", "/xy", True), ("User-agent: *\nDisallow: /%7Eme", "/~me/", False),
    ("User-agent: *\nDisallow: /a # not here", "/a", False), ("User-agent: *\n\nDisallow: /a", "/a", False),
    ("Disallow: /a", "/a", True), ("User-agent: *\nDisallow: /?q=", "/?q=1", False),
    ("\ufeffUser-agent: *\nnonsense\nDisallow: /a", "/a", True),
])
def test_the_longest_rule_of_the_right_group_counts(text, target, allowed):
    assert robots.parse(text).allows(target) is allowed


def test_a_pause_is_kept_to_up_to_a_limit():
    assert robots.parse("User-agent: *\nCrawl-delay: 2.5").delay == 2.5
    assert robots.parse("User-agent: *\nCrawl-delay: 86400").delay == robots.LONGEST_DELAY
    assert robots.parse("User-agent: *\nCrawl-delay: soon").delay == 0


def test_a_hostile_pattern_takes_no_time():
    hostile = robots.parse("User-agent: *\n" + "\n".join(f"Disallow: /{'*a' * 40}{number}$" for number in range(50)))
    began = time.process_time()
    assert hostile.allows("/" + "a" * 1000)
    assert time.process_time() - began < 5
