"""How much may be sent at once."""

from __future__ import annotations

from webapp.settings.places import DATA
from webapp.settings.table import read

MAX_UPLOAD_BYTES = read("WENDA_UPLOAD_MB") * 1_000_000
MAX_REQUEST_BYTES = MAX_UPLOAD_BYTES + 200_000
"""A file and the form around it."""
RECOGNISE_PAGES = read("WENDA_RECOGNISE_PAGES")

# Anything larger than this goes to a temporary file as it arrives, never to memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_TEMP_DIR = str(DATA / "incoming")
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler", "webapp.ops.passing_uploads.PassingUploadHandler",
]
(DATA / "incoming").mkdir(exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
"""Bytes of a request that is no file: a JSON body or a form."""
