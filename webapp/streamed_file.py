"""A file as a response, read while it is sent.

Under ASGI, Django's own first reads a file to its end and holds it in memory: an exported model is gigabytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import FileResponse


class StreamedFile(FileResponse):
    block_size = 256 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = iter(self.streaming_content)
        while block := await sync_to_async(next)(blocks, b""):
            yield block
