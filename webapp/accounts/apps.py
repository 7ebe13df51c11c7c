from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "webapp.accounts"

    def ready(self) -> None:
        from webapp.accounts import guessing, signed_in_browsers  # noqa: F401  both listen to Django's sign-in signals
