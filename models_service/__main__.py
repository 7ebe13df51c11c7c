"""`python -m models_service --host HOST --port PORT`: serve the models until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import uvicorn

from models_service import json_log, recent
from models_service.memory import MB
from models_service.protocol import MAX_FRAME_BYTES
from models_service.registry import DTYPES, ModelMissing, ModelUnusable, Registry, forms_told

GRACE_SECONDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models_service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME=DIRECTORY",
        help="serve this directory under the name of a starter model, whatever is promoted; may be repeated",
    )
    parser.add_argument(
        "--models", type=Path, metavar="FOLDER", help="where registered models lie; else the starters are served"
    )
    parser.add_argument(
        "--generator", default=os.environ.get("WENDA_GENERATOR", ""), metavar="NAME",
        help="which generator writes the answers: a registered name, or a folder (WENDA_GENERATOR)",
    )
    parser.add_argument(
        "--dtype", default=os.environ.get("WENDA_GENERATOR_DTYPE") or "auto", metavar="TYPE",
        help=f"in which number format generators compute, of {', '.join(DTYPES)} (WENDA_GENERATOR_DTYPE)",
    )
    parser.add_argument(
        "--memory-mb", type=int, metavar="N", help="what all models together may take (most of what is free)"
    )
    arguments = parser.parse_args()
    if arguments.dtype not in DTYPES:
        parser.error(f"There is no number format {arguments.dtype}; there are: {', '.join(DTYPES)}.")
    _log_to_standard_error(os.environ.get("WENDA_LOG_FORMAT") or "auto", parser)
    try:
        registry = Registry(dict(_named(value, parser) for value in arguments.model), arguments.models,
                            generator=arguments.generator.strip(), dtype=arguments.dtype,
                            forms=forms_told())
    except (ModelMissing, ModelUnusable) as problem:
        parser.error(str(problem))

    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a request; the metrics say it better
    from models_service.engines.remote import RemoteGenerator, RemoteServer
    from models_service.server import make_app

    remote = RemoteServer.of(os.environ)
    if remote and not remote.model:
        parser.error("WENDA_GENERATOR_URL is set; set WENDA_GENERATOR_MODEL to the name of the model there.")
    if remote and arguments.generator:
        parser.error("WENDA_GENERATOR_URL is set, too; write WENDA_GENERATOR or WENDA_GENERATOR_URL, not both.")
    generator = RemoteGenerator(remote) if remote else None

    # Twice the contract's limit is let in, so that a frame above it gets an answer rather than a closed socket.
    uvicorn.run(
        make_app(registry, generator, arguments.memory_mb and arguments.memory_mb * MB),
        host=arguments.host, port=arguments.port, log_level="warning", access_log=False,
        ws_max_size=2 * MAX_FRAME_BYTES, ws_per_message_deflate=False, timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _log_to_standard_error(form: str, parser: argparse.ArgumentParser) -> None:
    if form not in json_log.FORMATS:
        parser.error(f"WENDA_LOG_FORMAT is {form!r}; write one of: {', '.join(json_log.FORMATS)}.")
    shown = logging.StreamHandler()
    shown.setFormatter(json_log.JsonLines("models") if json_log.wants_json(form) else
                       logging.Formatter("%(asctime)s  %(levelname)s  %(name)s  %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[shown, recent.errors])


def _named(value: str, parser: argparse.ArgumentParser) -> tuple[str, Path]:
    name, equals, folder = value.partition("=")
    if not equals or not name or not folder:
        parser.error(f"--model {value}: write NAME=DIRECTORY.")
    return name, Path(folder)


if __name__ == "__main__":
    main()
