"""Why something cannot be fetched from the web, as a sentence in the reader's language that says what to do."""

from __future__ import annotations

from typing import Any, Literal

from django.utils.translation import gettext as _

from qa.documents import FORMAT_NAMES

Code = Literal[
    "off", "malformed", "too_long", "scheme", "credentials", "port", "private", "unknown_host", "no_connection",
    "certificate", "too_slow", "broken_off", "redirects", "gone", "forbidden", "busy", "status", "too_large",
    "compression", "type", "empty", "robots", "no_robots", "other_host", "not_sitemap", "damaged_sitemap",
    "empty_sitemap", "too_deep", "no_answers", "too_much",
]
MAY_PASS = frozenset({"unknown_host", "no_connection", "too_slow", "broken_off", "busy", "no_robots"})
"""Trying again a little later may help."""
NOT_REACHED = frozenset({"unknown_host", "no_connection", "too_slow", "no_robots"})
SKIPPED = frozenset({"robots", "other_host", "too_deep"})
"""Left out on purpose, which is no failure."""


class FetchProblem(Exception):
    """`values` are what the sentence names: host, port, status, type, megabytes."""

    def __init__(self, code: Code, retry_after: float = 0, **values: Any) -> None:
        super().__init__(f"{code} {values}")
        self.code: Code = code
        self.retry_after = retry_after
        self.values = values


def sentence(problem: FetchProblem) -> str:
    sentences = {
        "off": _("This site fetches nothing from the web: its administrator has switched that off. Save the page as "
                 "a file and upload that."),
        "malformed": _("This is no web address. Write one such as https://example.org/page."),
        "too_long": _("This address is too long. Use a shorter one."),
        "scheme": _("Only addresses that begin with http:// or https:// can be fetched."),
        "credentials": _("This address holds a user name or a password. Leave it out: pages that ask for one cannot "
                         "be fetched. Save the page as a file and upload that."),
        "port": _("Port %(port)s is not among those that this site fetches from. Its administrator can allow it."),
        "private": _("%(host)s is an address of a private network, and this site does not fetch from there. Its "
                     "administrator can allow single hosts."),
        "unknown_host": _("There is no host %(host)s, or its name cannot be looked up now. Check the address."),
        "no_connection": _("%(host)s does not answer. Check the address, or try again later."),
        "certificate": _("The connection to %(host)s is not safe: its certificate is not valid."),
        "too_slow": _("%(host)s is too slow: the page did not come in time. Try again later."),
        "broken_off": _("%(host)s broke the connection off before all had come. Try again."),
        "redirects": _("The address leads in a circle, or from one address to the next without end."),
        "gone": _("There is no such page any more: %(host)s answered %(status)s."),
        "forbidden": _("%(host)s lets only people who are signed in see this page (%(status)s). Save it as a file "
                       "and upload that."),
        "busy": _("%(host)s is busy now (%(status)s). Try again later."),
        "status": _("%(host)s answered with an error (%(status)s). Try again later, or check the address."),
        "too_large": _("The page is larger than %(megabytes)s MB, the most that this site takes."),
        "compression": _("The page is compressed in a way that cannot be undone here."),
        "type": _("What lies at this address is of a type that cannot be read here (%(type)s). Types that can: "
                  "%(formats)s."),
        "empty": _("The page is empty."),
        "robots": _("The site asks programs not to fetch this page (robots.txt)."),
        "no_robots": _("What the site lets programs fetch (robots.txt) cannot be read now. Try again later."),
        "other_host": _("It lies on another host than the sitemap, which may list only its own."),
        "not_sitemap": _("What lies at this address is no sitemap. Leave the tick out to add it as a page."),
        "damaged_sitemap": _("The sitemap cannot be read: it is damaged, or larger than a sitemap may be."),
        "empty_sitemap": _("The sitemap lists no pages."),
        "too_deep": _("Sitemaps that list sitemaps are followed %(levels)s levels deep, and this one lies deeper; or "
                      "there are more than %(sitemaps)s of them."),
        "no_answers": _("The site does not answer any more. Try again later: what has been fetched is kept."),
        "too_much": _("The pages are larger than %(megabytes)s MB together, the most that one sitemap may bring. "
                      "What has been fetched is kept."),
    }
    return sentences[problem.code] % {"formats": ", ".join(FORMAT_NAMES), **problem.values}
