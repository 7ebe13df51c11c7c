"""What can go wrong with an encrypted file: OSErrors, for to its reader it is a file that cannot be read."""

from __future__ import annotations


class SealedError(OSError):
    """`args[0]` is a sentence that says which file, what is wrong and what to do."""


class KeyMissing(SealedError):
    """The file was encrypted with a key that is not in the environment; `key_id` says with which."""

    def __init__(self, name: str, key_id: str) -> None:
        super().__init__(f"{name} is encrypted with the key {key_id}, which is not in WENDA_ENCRYPTION_KEY. "
                         "Add that key after the others, with a comma, and restart.")
        self.key_id = key_id


class Damaged(SealedError):
    """Bytes of the file are not those that were written, or some are missing."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} is damaged: {what}. Put it back from a backup.")


class BadKey(ValueError):
    """What stands in the environment is no key. The sentence never holds it."""
