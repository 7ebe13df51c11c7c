"""`python -m models_service.hub ID FOLDER`: fetch a model's files from a Hugging Face hub; nothing is run of them.

A process of its own, since offline mode, which everything else here runs in, holds for a whole process. HF_ENDPOINT
and HF_TOKEN are heeded. Only settings, vocabularies and safetensors are fetched. What was fetched is kept when the
way is cut off, and the next call goes on from there; each file is compared with the hub's checksum.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from models_service.model_files import ModelUnusable, kind_of
from models_service.version_files import KEPT

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "adapter_model.safetensors")
FOLDERS = ("1_Pooling", "2_Normalize", "2_Dense")
"""Of sentence-transformers; other folders hold the same model for other libraries."""
CHUNK_BYTES = 1 << 20
MB = 1_000_000


class PullFailed(Exception):
    """The model cannot be fetched; the sentence says why and what to do."""


@dataclass(frozen=True)
class Remote:
    """A file on the hub. `sha256` is known of large files, of the others git's own `blob` checksum."""

    name: str
    size: int
    sha256: str | None
    blob: str | None


def pull(
    identifier: str, folder: Path, revision: str | None = None, translates: bool = False
) -> tuple[Path, str]:
    """Fetch the model into a folder under `folder`; that folder, and the revision that the files are of.

    Args:
        translates: it is known to be a translator, whatever its architecture.

    Raises:
        PullFailed: it is not there, cannot be reached, needs code of its own, or is not in safetensors.
    """
    endpoint = constants.ENDPOINT
    try:
        info = HfApi(endpoint=endpoint).model_info(identifier, revision=revision, files_metadata=True)
        wanted = _wanted(identifier, [
            Remote(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else None, one.blob_id)
            for one in info.siblings or []
        ])
        target = folder / str(info.sha)
        target.mkdir(parents=True, exist_ok=True)
        _check_room(wanted, target)
        for number, file in enumerate(wanted, start=1):
            if file.name.endswith(".safetensors"):
                _check_settings(identifier, target, translates)
            print(f"{number} of {len(wanted)}: {file.name} ({file.size / MB:.1f} MB)", file=sys.stderr, flush=True)
            _fetch(identifier, file, target, str(info.sha), endpoint)
    except GatedRepoError:
        raise PullFailed(f"{identifier} is open only to those who accepted its terms: do so on {endpoint}, and set "
                         "HF_TOKEN to your access token.") from None
    except RepositoryNotFoundError:
        raise PullFailed(
            f"There is no model {identifier} on {endpoint}, or it is private: then set HF_TOKEN."
        ) from None
    except HFValidationError as problem:
        raise PullFailed(f"{identifier} is not a model's id: {problem}") from None
    except HfHubHTTPError as problem:
        raise PullFailed(f"{endpoint} refused: {problem.server_message or problem}") from None
    except (httpx2.HTTPError, ConnectionError) as problem:
        raise PullFailed(f"{endpoint} cannot be reached ({type(problem).__name__}). What was fetched is kept; pull "
                         "again when there is a connection. HF_ENDPOINT names another hub.") from None
    return target, str(info.sha)


def _wanted(identifier: str, files: Sequence[Remote]) -> list[Remote]:
    """The files of the model, settings first, so that what is of no use is refused before its weights come."""
    names = {file.name for file in files}
    if not any(fnmatch.fnmatch(name, pattern) for name in names for pattern in WEIGHTS):
        pickle = next((name for name in sorted(names) if name.endswith((".bin", ".pt", ".pth", ".ckpt"))), None)
        what = f"only {pickle}, a pickle, which may run anything" if pickle else "no weights"
        raise PullFailed(f"{identifier} holds {what}. Models in safetensors can be pulled.")
    wanted = [file for file in files if _is_wanted(file.name)]
    return sorted(wanted, key=lambda file: (file.name.endswith(".safetensors"), file.name))


def _is_wanted(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    if folder and folder not in FOLDERS or file.startswith("."):
        return False
    if file.endswith(".safetensors"):
        return bool(folder) or any(fnmatch.fnmatch(file, pattern) for pattern in WEIGHTS)
    return any(fnmatch.fnmatch(file, pattern) for pattern in KEPT)


def _check_settings(identifier: str, folder: Path, translates: bool) -> None:
    """Before the weights come: is it a model that can be served here? Of one that translates, loading it tells."""
    settings = folder / "config.json"
    if settings.is_file() and "auto_map" in json.loads(settings.read_text()):
        raise PullFailed(f"{identifier} needs code of its own, which is never run here.")
    if translates:
        return
    try:
        kind_of(folder)
    except ModelUnusable as problem:
        raise PullFailed(str(problem).replace(str(folder), identifier)) from None


def _check_room(wanted: Sequence[Remote], target: Path) -> None:
    missing = sum(file.size for file in wanted if not (target / file.name).is_file())
    free = shutil.disk_usage(target).free
    if 2 * missing > free:  # it is copied once more when it is registered
        raise PullFailed(f"{2 * missing / MB:.0f} MB are needed on the disk and {free / MB:.0f} MB are free.")


def _fetch(identifier: str, file: Remote, folder: Path, revision: str, endpoint: str) -> None:
    """Bring one file, going on where an earlier call was cut off."""
    target = folder / file.name
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    url = hf_hub_url(identifier, file.name, revision=revision, endpoint=endpoint)
    there = get_hf_file_metadata(url, endpoint=endpoint)
    # A large file lies on another host, at an address that is signed; the token is not for that one.
    same_host = urlsplit(there.location).netloc == urlsplit(url).netloc
    part = target.with_name(f"{target.name}.part")
    with part.open("ab") as out:
        if out.tell() > file.size:
            out.truncate(0)
        http_get(
            there.location, out, resume_size=out.tell(), expected_size=file.size, displayed_filename=file.name,
            headers=build_hf_headers() if same_host else None,
        )
        out.flush()
        os.fsync(out.fileno())
    _check(file, part)
    part.replace(target)


def _check(file: Remote, part: Path) -> None:
    """Compare with the hub's checksum: SHA-256 of a large file, git's of another."""
    if file.sha256 is None and file.blob is None:
        return
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size)
    with part.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != (file.sha256 or file.blob):
        part.unlink()
        raise PullFailed(f"{file.name} came damaged: its checksum is not the hub's. Pull again.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m models_service.hub", description=__doc__)
    parser.add_argument("identifier", metavar="ID")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--revision", help="a branch, a tag or a commit")
    parser.add_argument("--translates", action="store_true", help="the model's languages were told")
    arguments = parser.parse_args()
    try:
        folder, revision = pull(
            arguments.identifier, arguments.folder, arguments.revision, arguments.translates
        )
    except PullFailed as problem:
        print(json.dumps({"error": str(problem)}))
        return 1
    except OSError as problem:
        print(json.dumps({"error": f"The files cannot be fetched or written: {problem}"}))
        return 1
    print(json.dumps({"folder": str(folder), "revision": revision}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
