"""Why a file does not come into the graph, or a query is not answered, as a sentence that says what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _

from qa.graph import Limits
from qa.graph_files import PACKED, SUFFIXES
from qa.graph_import import Outcome
from qa.graph_query import LONGEST_QUERY, BadQuery
from qa.graph_sparql import SECONDS


def unsupported(name: str) -> str:
    return _("%(name)s is of a type that cannot be imported here. Supported types: %(types)s; each may be packed "
             "as %(packed)s.") % {"name": name, "types": ", ".join(SUFFIXES), "packed": ", ".join(PACKED)}


def of_file(outcome: Outcome, name: str) -> str:
    """Whatever the graph had before, it still has."""
    values = {"name": name, "types": ", ".join(SUFFIXES), "packed": ", ".join(PACKED),
              "detail": outcome.detail.rstrip("."), "line": outcome.line,
              "megabytes": Limits().most_bytes // 1_000_000, "triples": f"{Limits().most_triples:,}"}
    sentences = {
        "empty": _("%(name)s holds no statement."),
        "binary": _("%(name)s is not a text file. Supported types: %(types)s; each may be packed as %(packed)s."),
        "syntax": _("%(name)s, line %(line)s: %(detail)s. Mend the file and upload it again.") if outcome.line else
        _("%(name)s cannot be read: %(detail)s. Mend the file and upload it again."),
        "remote_context": _("The @context of %(name)s lies at another address, and nothing is fetched from there. "
                            "Write the context into the file and upload it again."),
        "too_large": _("%(name)s holds more than %(triples)s statements, or more than %(megabytes)s MB unpacked. "
                       "Split it."),
        "damaged": _("%(name)s is packed, and the packing is damaged. Pack it anew and upload it again."),
    }
    return sentences[outcome.reason] % values


def too_hard(name: str) -> str:
    return _("The process that read %(name)s was ended by the system: the file is nested too deeply, or takes too "
             "much time or memory. Split it, or write it as N-Triples.") % {"name": name}


def of_query(error: BadQuery) -> str:
    if error.reason == "syntax":
        said = str(error).partition(": ")[2] if error.line else str(error)
        values = {"line": error.line, "column": error.column, "said": said.rstrip(".")}
        if error.line:
            return _("Line %(line)s, column %(column)s: the query cannot be read (%(said)s).") % values
        return _("The query cannot be read: %(said)s.") % values
    sentences = {
        "empty": _("Write a query."),
        "too_long": _("The query is too long: at most %(most)s characters are allowed."),
        "no_text": _("The query holds characters that are no text. Delete them."),
        "update": _("Only SELECT, ASK, CONSTRUCT and DESCRIBE are allowed: a query changes nothing."),
        "service": _("The word SERVICE may not stand in a query, which reads this graph only. Within an address or a "
                     "text write it as servic\\u0065."),
        "nothing": _("The knowledge graph is empty. Import a file first."),
        "too_slow": _("The query was stopped after %(seconds)s seconds. Narrow it down, or add a LIMIT."),
        "too_hard": _("The query needs too much memory, or is nested too deeply. Narrow it down."),
    }
    return sentences[error.reason] % {"most": f"{LONGEST_QUERY:,}", "seconds": f"{SECONDS:g}"}
