"""The JSON of a request, with what no view could use refused at the door."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JSONBody(JSONParser):
    """Neither nested too deeply to be read, nor with halves of characters, which no encoding can write down."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError(_("This JSON is nested too deeply.")) from None
        except UnicodeEncodeError:
            raise ParseError(_("This JSON has half of a character: an escape such as \\ud83d without its other "
                               "half.")) from None
        return data
