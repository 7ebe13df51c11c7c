from __future__ import annotations

import io
from pathlib import Path

from webapp.streamed_file import StreamedFile


class CountingFile(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


async def test_a_file_is_read_as_far_as_it_is_sent():
    content = bytes(range(256)) * 4096  # four blocks
    file = CountingFile(content)
    response = StreamedFile(file)
    blocks = aiter(response)
    first = await anext(blocks)
    assert (len(first), file.reads) == (StreamedFile.block_size, 1)
    assert first + b"".join([block async for block in blocks]) == content
    response.close()
    assert file.closed


def test_it_is_served_without_asgi_too(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"PK" * 300_000)
    response = StreamedFile((tmp_path / "a.zip").open("rb"), as_attachment=True)
    assert response.getvalue() == b"PK" * 300_000 and response["Content-Length"] == "600000"
    assert response["Content-Disposition"] == 'attachment; filename="a.zip"'
