from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "webapp.ops"

    def ready(self) -> None:
        from webapp.ops import (
            encryption,
            task_signals,  # noqa: F401, connects itself
        )

        encryption.note_first_key()
