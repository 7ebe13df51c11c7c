from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "webapp.audit"

    def ready(self) -> None:
        from webapp.audit import watching  # noqa: F401  it listens to what other rooms save
