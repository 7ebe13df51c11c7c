from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "webapp.ops"

    def ready(self) -> None:
        from webapp.ops import encryption

        encryption.note_first_key()
