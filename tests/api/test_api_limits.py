"""Every call is counted, every reply says how its caller stands, and too many are refused clearly."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.conftest import is_problem
from webapp.accounts.services import create_api_key
from webapp.limits import meter
from webapp.limits.models import Quota

pytestmark = pytest.mark.django_db
COLLECTIONS = "/api/v1/collections/"


@pytest.fixture
def two_a_minute(settings, redis_url) -> None:
    settings.LIMITS = {**settings.LIMITS, "requests_per_minute": 2}


def test_a_reply_says_how_its_caller_stands(alice, program, redis_url):
    response = program(alice).get(COLLECTIONS)
    limit = int(response["RateLimit-Limit"])
    assert int(response["RateLimit-Remaining"]) == limit - 1 and 1 <= int(response["RateLimit-Reset"]) <= 60
    assert f'"requests-per-minute";r={limit - 1};t=' in response["RateLimit"]
    assert f'"requests-per-minute";q={limit};w=60' in response["RateLimit-Policy"]


def test_too_many_requests_are_refused_with_what_to_do(alice, program, two_a_minute):
    client = program(alice)
    assert [client.get(COLLECTIONS).status_code for _ in range(2)] == [200, 200]
    response = client.get(COLLECTIONS)
    problem = is_problem(response, 429)
    assert problem["violated-policies"] == ["requests-per-minute"] and problem["type"].endswith("#quota-exceeded")
    assert problem["retryable"] is True
    assert 1 <= int(response["Retry-After"]) <= 60 and response["RateLimit-Remaining"] == "0"


def test_two_keys_and_the_browser_of_one_person_count_together(alice, program, browser, two_a_minute):
    program(alice).get(COLLECTIONS)
    browser(alice).get(COLLECTIONS)
    is_problem(program(alice).get(COLLECTIONS), 429)


def test_clients_of_openais_interface_get_its_headers_and_errors(alice, program, two_a_minute):
    client = program(alice)
    response = client.get("/v1/models")
    assert (response["x-ratelimit-limit-requests"], response["x-ratelimit-remaining-requests"]) == ("2", "1")
    assert response["x-ratelimit-reset-requests"].endswith(("s", "m"))
    client.get("/v1/models")
    refused = client.get("/v1/models")
    assert refused.status_code == 429 and int(refused["Retry-After"]) >= 1
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"


def test_a_day_without_tokens_left_refuses_writing_and_nothing_else(alice, program, settings, redis_url):
    settings.LIMITS = {**settings.LIMITS, "tokens_per_day": 5}
    meter.charge(alice, 5)
    client = program(alice)
    problem = is_problem(client.post("/api/v1/qa/ask", {"question": "Why?"}, content_type="application/json"), 429)
    assert problem["violated-policies"] == ["tokens-per-day"]
    refused = client.post("/v1/embeddings", {"model": "wenda", "input": "x"}, content_type="application/json")
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "insufficient_quota"
    assert client.get(COLLECTIONS).status_code == 200


def test_clients_of_libretranslate_are_counted_too(alice, two_a_minute):
    _row, secret = create_api_key(alice, "translator")
    answers = [Client().post("/translate_file", {"api_key": secret}) for _ in range(3)]
    assert [one.status_code for one in answers] == [400, 400, 429], "without a file, but counted"
    assert answers[2].json()["error"] and int(answers[2]["Retry-After"]) >= 1


def test_uploads_count_as_jobs(alice, program, settings, redis_url):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from webapp.knowledge.services import create_collection

    settings.LIMITS = {**settings.LIMITS, "jobs_per_day": 1}
    own = create_collection(alice, name="Own")
    answers = [
        program(alice).post("/api/v1/documents/", {
            "collection": str(own.pk), "file": SimpleUploadedFile(f"{number}.txt", f"text {number}".encode()),
        }) for number in range(2)
    ]
    assert answers[0].status_code == 202
    assert is_problem(answers[1], 429)["violated-policies"] == ["jobs-per-day"]


def test_a_program_reads_what_it_has_used(alice, program, redis_url):
    meter.charge(alice, 7)
    body = program(alice).get("/api/v1/usage").json()
    used = {one["name"]: one["used"] for one in body["limits"]}
    assert used == {"requests-per-minute": 1, "tokens-per-day": 7, "jobs-per-day": 0, "at-once": 0}
    assert body["days"][0]["tokens"] == 7 and len(body["days"]) == 14


def test_an_administrator_sets_a_persons_quota_and_takes_it_back(admin, alice, program, redis_url):
    address = f"/api/v1/quotas/{alice.pk}/"
    client = program(admin)
    changed = client.patch(address, {"requests_per_minute": 1}, content_type="application/json")
    assert changed.status_code == 200 and changed.json()["quota"]["requests_per_minute"] == 1
    assert [program(alice).get(COLLECTIONS).status_code for _ in range(2)] == [200, 429]
    client.patch(address, {"requests_per_minute": None}, content_type="application/json")
    assert program(alice).get(COLLECTIONS).status_code == 200
    is_problem(client.patch(address, {"at_once": 0}, content_type="application/json"), 400)


def test_nobody_else_sees_or_sets_quotas(alice, bob, program, browser, redis_url):
    is_problem(program(alice).get("/api/v1/quotas/"), 403)
    is_problem(program(alice).patch(f"/api/v1/quotas/{bob.pk}/", {}, content_type="application/json"), 403)
    assert browser(alice).get("/dashboard/quotas/").status_code == 403
    assert browser(alice).get(f"/dashboard/quotas/{bob.pk}/").status_code == 403


def test_the_pages_show_use_and_set_a_quota(admin, alice, browser, redis_url):
    meter.charge(alice, 1234)
    assert "1,234" in browser(alice).get("/account/usage/").content.decode()
    client = browser(admin)
    assert "alice" in client.get("/dashboard/quotas/?q=ali").content.decode()
    address = f"/dashboard/quotas/{alice.pk}/"
    assert client.post(address, {"at_once": "0"}).status_code == 400
    assert client.post(address, {"at_once": "3"}).status_code == 302
    assert Quota.objects.get(user=alice).at_once == 3
    assert "own limits" in client.get("/dashboard/quotas/").content.decode()
