"""The files for Prometheus, Grafana and containers: they can be read, and name only what the site has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from redis import Redis

from models_service import metrics as models_metrics
from webapp.ops import processes, reporter
from webapp.ops.management.commands import run
from webapp.ops.metrics import REQUESTS
from webapp.settings.table import BY_NAME, PROJECT

DEPLOY = PROJECT / "deploy"
NAME = re.compile(r"\b(?:wenda|process)_[a-z_]+\b")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
OWN_OF_PROMETHEUS = {"up"}


def expressions(found: Any) -> list[str]:
    """Every `expr` in a file."""
    if isinstance(found, dict):
        own = [found["expr"]] if isinstance(found.get("expr"), str) else []
        return own + [each for value in found.values() for each in expressions(value)]
    return [each for value in found for each in expressions(value)] if isinstance(found, list) else []


@pytest.fixture
def exported(db, redis_url, settings) -> set[str]:
    """The names of all that the site and the model service tell a monitor once there is something to tell."""
    segments = settings.DATA_DIR / "indexes" / "one" / "segments"
    segments.mkdir(parents=True)
    (segments / "a.faiss").write_bytes(b"1")
    processes.own.ended("a.task", failed=False, seconds=1)
    with Redis.from_url(redis_url) as redis:
        reporter.report(redis, "worker")
    families = list(REGISTRY.collect())
    assert REQUESTS and models_metrics.REQUESTS, "imported for what they register"
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ())}


@pytest.mark.parametrize(("name", "least"), [("grafana-dashboard.json", 20), ("prometheus-alerts.yml", 8)])
def test_every_figure_of_the_dashboard_and_the_alerts_is_one_that_is_exported(exported, name, least) -> None:
    found = expressions(yaml.safe_load((DEPLOY / name).read_text()))
    assert len(found) >= least
    named = {each for expression in found for each in NAME.findall(expression)}
    assert len(named) > 5 and named - exported == set()


def test_the_dashboard_has_a_title_and_a_place_for_each_panel_and_none_covers_another() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) and all(panel["title"] for panel in panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_what_prometheus_asks_is_what_the_alerts_and_the_dashboard_speak_of() -> None:
    jobs = {job["job_name"] for name in ("prometheus.yml", "compose-prometheus.yml")
            for job in yaml.safe_load((DEPLOY / name).read_text())["scrape_configs"]}
    assert jobs == {"wenda-web", "wenda-models"}
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] and rule["for"] for rule in rules)
    told = {"WendaProcessDown", "WendaPartDown", "WendaTasksPileUp", "WendaDiskLow", "WendaAnswersFail"}
    assert told <= {rule["alert"] for rule in rules}


def test_the_containers_run_what_there_is_with_settings_that_exist() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    own = {name: service for name, service in services.items() if service.get("image") == "wenda"}
    assert set(own) == {"prepare", "web", "worker", "trainer", "models-1", "models-2"}
    for name, service in own.items():
        words = service["command"]
        assert words[0] in ("prepare", "run") and (words[0] == "prepare" or words[1] in run.PARTS), name
        assert set(service["environment"]) <= set(BY_NAME), name
    listed = own["web"]["environment"]["MODELS_SERVICE_URLS"]
    assert re.findall(r"//([^:]+):", listed) == [name for name in own if name.startswith("models-")]
    mounted = [each.split(":")[0] for service in services.values() for each in service.get("volumes", [])]
    assert all((DEPLOY / each).is_file() for each in mounted if each.startswith("./"))
    assert {each for each in mounted if not each.startswith("./")} == set(compose["volumes"])
    assert set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text())) <= set(
        re.findall(r"(?m)^(\w+)=", (DEPLOY / "compose.env.example").read_text()))


def test_the_unit_of_one_process_runs_a_part_by_its_name_without_its_number() -> None:
    unit = (DEPLOY / "wenda@.service").read_text()
    [line] = re.findall(r"(?m)^ExecStart=(.+)$", unit)
    as_the_shell_sees_it = line.replace("$$", "$").replace("%%", "%")
    assert as_the_shell_sees_it.endswith("""manage.py run "${name%%[0-9]*}"'""") and 'name="%i"' in line
    for part in run.PARTS:
        assert f"wenda@{part}" in unit
