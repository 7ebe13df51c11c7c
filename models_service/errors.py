"""What can go wrong when a model is asked: a code, a sentence for a person, and whether trying again helps."""

from __future__ import annotations

from models_service.protocol import ErrorCode, ErrorEvent


class ModelsError(Exception):
    """A request to a model failed. `retry_after_ms` is the service's own estimate, where it has one."""

    def __init__(
        self, code: ErrorCode, message: str, *, retryable: bool = False, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms

    def event(self, request_id: str) -> ErrorEvent:
        """As it travels from the service to its client."""
        return ErrorEvent(
            id=request_id, code=self.code, message=self.message, retryable=self.retryable,
            retry_after_ms=self.retry_after_ms,
        )

    @staticmethod
    def of(event: ErrorEvent) -> ModelsError:
        """As the client raises it."""
        if event.code == "unavailable":
            return ModelsUnavailable(event.message, retryable=event.retryable)
        return ModelsError(
            event.code, event.message, retryable=event.retryable, retry_after_ms=event.retry_after_ms
        )


class ModelsUnavailable(ModelsError):
    """No model service answered, or the model asked for is not there."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__("unavailable", message, retryable=retryable)
