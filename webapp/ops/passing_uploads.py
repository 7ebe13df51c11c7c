"""What is sent to the site waits on disk while it arrives, never as plain bytes: a body, then each file in it."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.asgi import ASGIHandler

from models_service.sealed.passing import PassingFile


class BodyHandler(ASGIHandler):
    """Django's, except for where the body waits."""

    async def read_body(self, receive: Any) -> BinaryIO:
        body = PassingFile(settings.FILE_UPLOAD_MAX_MEMORY_SIZE, settings.FILE_UPLOAD_TEMP_DIR)
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestAborted
                body.write(message.get("body", b""))
                if not message.get("more_body", False):
                    return body.reading()
        except BaseException:
            body.close()
            raise


class PassingUploadHandler(FileUploadHandler):
    """In place of Django's temporary files."""

    def new_file(self, *args: Any, **options: Any) -> None:
        super().new_file(*args, **options)
        self._file = PassingFile(folder=settings.FILE_UPLOAD_TEMP_DIR)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        return UploadedFile(self._file.reading(), self.file_name, self.content_type, file_size, self.charset,
                            self.content_type_extra)

    def upload_interrupted(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
