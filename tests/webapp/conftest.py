"""Keys as they stand in the environment."""

from tests.models_service.sealed.conftest import use_keys  # noqa: F401 (a fixture)
