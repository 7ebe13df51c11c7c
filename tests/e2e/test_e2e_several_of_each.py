"""Two web processes, two workers, two model services over one database and one Redis: one dies, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.library import TOWER
from tests.private_postgres import private_postgres, why_not
from tests.running_site import PROJECT, Person, Site, sign_up, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
QUESTIONS, AT_ONCE = 60, 8
QUESTION = "How tall is the Eiffel Tower?"


@dataclass
class Cluster:
    """Each process is started by `manage.py run`, as a unit of systemd or a container would."""

    environment: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=PROJECT,
                                                    env=self.environment, stdout=log, stderr=log)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def signal(self, name: str, number: int) -> None:
        self.processes[name].send_signal(number)

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@dataclass
class Running:
    cluster: Cluster
    webs: list[Site]
    models: list[str]
    person: Person

    @contextmanager
    def at(self, web: Site) -> Iterator[Person]:
        """The same person, with the same cookies, at another web process."""
        with httpx.Client(base_url=web.address, cookies=dict(self.person.http.cookies), timeout=120,
                          trust_env=False) as http:
            yield Person(web, self.person.name, http)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    from webapp.ops.embedded_redis import running_redis
    from webapp.ops.preflight import free_port

    folder = Path(tmp_path_factory.mktemp("several"))
    ports = {name: free_port() for name in ("models-1", "models-2", "web-1", "web-2")}
    models = [f"ws://127.0.0.1:{ports[name]}/ws" for name in ("models-1", "models-2")]
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(folder / "redis"))
        database = "" if why_not() else stack.enter_context(private_postgres())
        settings = {"REDIS_URL": redis, "DATABASE_URL": database, "MODELS_SERVICE_URLS": ",".join(models),
                    "WENDA_REQUESTS_PER_MINUTE": "10000", "WENDA_AT_ONCE": "50"}
        cluster = Cluster(Site(folder / "data", 0, settings=settings).environment, folder)
        (folder / "data").mkdir()
        stack.callback(cluster.stop)
        cluster.start("prepare", "prepare")
        assert cluster.processes.pop("prepare").wait(600) == 0, cluster.log("prepare")
        for name in ("models-1", "models-2"):
            cluster.start(name, "run", "models", "--port", str(ports[name]))
        for name in ("web-1", "web-2"):
            cluster.start(name, "run", "web", "--port", str(ports[name]))
        for name in ("worker-1", "worker-2"):
            cluster.start(name, "run", "worker")
        webs = [Site(folder / "data", ports[name]) for name in ("web-1", "web-2")]
        until(lambda: all(web.is_ready() for web in webs) and all(map(_is_ready, models)), 900, "the start of all")
        http = stack.enter_context(httpx.Client(base_url=webs[0].address, follow_redirects=True, timeout=60,
                                                trust_env=False))
        yield Running(cluster, webs, models, sign_up(webs[0], http))


def _is_ready(models: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(_page(models, "readyz"), timeout=5, trust_env=False).status_code == 200
    return False


def _page(models: str, name: str) -> str:
    return models.replace("ws://", "http://").replace("/ws", f"/{name}")


def _answered(models: str) -> float:
    """How many questions were read there."""
    told = httpx.get(_page(models, "metrics"), timeout=20, trust_env=False).text
    found = re.search(r'wenda_models_requests_total\{outcome="done",type="read"\} (\S+)', told)
    return float(found[1]) if found else 0.0


def test_a_model_service_killed_under_load_loses_no_question(running: Running) -> None:
    collection = running.person.add_collection(tower=TOWER)
    done = threading.Semaphore(0)
    killed_after: list[float] = []

    def kill_one() -> None:
        for _ in range(QUESTIONS // 3):
            done.acquire()
        killed_after.extend(map(_answered, running.models))
        running.cluster.signal("models-1", signal.SIGKILL)

    def ask(number: int) -> httpx.Response:
        with running.at(running.webs[number % 2]) as person:
            try:
                return person.post("/api/v1/qa/ask", json={"question": QUESTION, "collections": [collection]})
            finally:
                done.release()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, range(QUESTIONS)))
    killer.join()
    assert [answer.status_code for answer in answers] == [200] * QUESTIONS
    assert all("330 metres" in answer.json()["answer"] for answer in answers)
    assert all(count > 0 for count in killed_after), "both model services had their share before"
    assert running.webs[0].is_ready(), "one model service is enough"


def test_a_worker_killed_with_documents_waiting_loses_none(running: Running) -> None:
    collection = running.person.add_collection()
    texts = [f"Lamp number {number} stands on pier {number * 7}.\n\n" * 40 for number in range(12)]
    added = [running.person.post("/api/v1/documents/", data={"collection": collection},
                                 files={"file": (f"lamp-{number}.txt", text.encode())}).json()["id"]
             for number, text in enumerate(texts)]
    running.cluster.signal("worker-1", signal.SIGKILL)
    until(lambda: all(running.person._is_read(each) for each in added), 240, "the reading of all documents")


async def test_an_answer_whose_web_process_is_killed_goes_on_at_the_other(running: Running) -> None:
    collection = await asyncio.to_thread(running.person.add_collection, tower=TOWER)
    running.cluster.signal("models-2", signal.SIGSTOP)
    with running.at(running.webs[0]) as first, running.at(running.webs[1]) as second:
        async with first.open_chat() as socket:
            await socket.send(json.dumps({"type": "ask", "key": uuid.uuid4().hex, "question": QUESTION,
                                          "collections": [collection]}))
            started = json.loads(await socket.recv())
            running.cluster.signal("web-1", signal.SIGKILL)
        running.cluster.signal("models-2", signal.SIGCONT)
        async with second.open_chat() as socket, asyncio.timeout(120):
            await socket.send(json.dumps({"type": "resume", "message": started["message"], "after": started["seq"]}))
            event = {}
            while event.get("type") not in ("done", "error"):
                event = json.loads(await socket.recv())["event"]
    assert event["type"] == "done" and "330 metres" in event["answer"]


def test_the_processes_that_are_left_are_told_of_at_the_other_web_process(running: Running) -> None:
    told = httpx.get(f"{running.webs[1].address}/metrics", timeout=30, trust_env=False).text
    own = str(running.cluster.processes["worker-2"].pid)
    task = 'outcome="done",task="webapp.knowledge.tasks.ingest"'
    assert re.search(rf'wenda_worker_tasks_total\{{{task},worker="[^"]+:{own}"\}} [1-9]', told)
