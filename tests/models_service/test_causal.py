"""Texts written in this process: as `generate` writes them, many in one batch, joining and leaving between steps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from models_service.client import ModelService
from models_service.engines import causal_generator
from models_service.engines.causal import CausalEngine
from models_service.engines.causal_generator import CausalGenerator
from models_service.engines.generating import Finish, Generation, Said
from models_service.engines.sampling import Sampler, Spelling
from models_service.errors import ModelsError
from models_service.protocol import ChatMessage, GenerateRequest
from models_service.slots import Slots
from tests.models_service.conftest import ServiceProcess
from tests.models_service.tiny_generator import POSITIONS

PROMPTS = ["The bridge", "A tower of iron stands in the park and the bridge was opened", "桥", "T", "1973 1973 1973"]


@pytest.fixture
async def generator(tiny_generator) -> AsyncIterator[CausalGenerator]:
    made = CausalGenerator(CausalEngine("tiny", tiny_generator))
    yield made
    await made.close()


@pytest.fixture(scope="module")
def plain(tiny_generator):
    """The same weights in plain transformers."""
    return AutoModelForCausalLM.from_pretrained(tiny_generator), AutoTokenizer.from_pretrained(tiny_generator)


async def write(generator: CausalGenerator, given: Generation) -> tuple[str, Finish]:
    async with aclosing(generator.stream(given)) as pieces, asyncio.timeout(120):
        *said, finish = [piece async for piece in pieces]
    return "".join(said), finish


def greedy(prompt: str, tokens: int = 24, **more) -> Generation:
    return Generation(prompt=prompt, max_tokens=tokens, temperature=0, **more)


def expected(plain, prompt: str, tokens: int = 24) -> str:
    model, tokenizer = plain
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False)
    return tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True, clean_up_tokenization_spaces=False)


async def test_texts_written_together_are_those_that_transformers_writes_alone(generator, plain) -> None:
    written = await asyncio.gather(*(write(generator, greedy(prompt)) for prompt in PROMPTS))
    assert [text for text, _ in written] == [expected(plain, prompt) for prompt in PROMPTS]
    assert generator.engine.largest_batch == len(PROMPTS)


async def test_one_that_joins_in_the_middle_changes_nothing_for_either(generator, plain) -> None:
    async with aclosing(generator.stream(greedy(PROMPTS[0], 60))) as first:
        begun = await anext(first)
        joined, _ = await write(generator, greedy(PROMPTS[1]))
        rest = [piece async for piece in first]
    assert joined == expected(plain, PROMPTS[1])
    assert begun + "".join(rest[:-1]) == expected(plain, PROMPTS[0], 60)
    assert generator.engine.largest_batch == 2


async def test_the_first_piece_comes_at_once_and_those_that_follow_quickly_come_together(
    generator, plain, monkeypatch
) -> None:
    monkeypatch.setattr(causal_generator, "PACE_SECONDS", 3600.0)
    pieces = [piece async for piece in generator.stream(greedy(PROMPTS[0]))]
    first, rest, finish = pieces
    assert finish == Finish("length", finish.prompt_tokens, 24)
    assert first and first + rest == expected(plain, PROMPTS[0])


async def test_short_texts_leave_and_the_long_one_goes_on(generator, plain) -> None:
    sizes = [3, 60, 1, 10, 30]
    written = await asyncio.gather(*(
        write(generator, greedy(prompt, size)) for prompt, size in zip(PROMPTS, sizes, strict=True)
    ))
    for (text, finish), prompt, size in zip(written, PROMPTS, sizes, strict=True):
        assert text == expected(plain, prompt, size)
        assert finish.completion_tokens <= size
    assert generator.engine.steps <= max(sizes) + 5


async def test_closing_one_frees_its_place_within_a_step(generator) -> None:
    async with aclosing(generator.stream(greedy("The bridge", 200))) as unwanted:
        await anext(unwanted)
    before = generator.engine.steps
    await write(generator, greedy("A tower", 5))
    while generator.engine.rows:
        await asyncio.sleep(0)
    assert generator.engine.steps <= before + 8


async def test_after_many_texts_with_random_cancels_no_slot_is_taken_and_every_other_text_is_right(generator, plain):
    slots = Slots(generator)
    chance = random.Random(5)
    leave = [None, None, 0, 1, 3]
    plans = [(chance.choice(PROMPTS), chance.randint(1, 40), chance.choice(leave)) for _ in range(120)]

    async def one(number: int, prompt: str, size: int, leave_after: int | None) -> str | None:
        request = GenerateRequest(id="1", prompt=prompt, max_tokens=size, temperature=0, client=str(number % 6))
        async with aclosing(slots.stream(request)) as pieces:
            count = 0
            async for piece in pieces:
                if not isinstance(piece, str):
                    return piece.text
                count += 1
                if leave_after is not None and count > leave_after:
                    return None
        raise AssertionError("a text without an end")

    async with asyncio.timeout(300):
        written = await asyncio.gather(*(one(number, *plan) for number, plan in enumerate(plans)))
    for (prompt, size, _), text in zip(plans, written, strict=True):
        assert text is None or text == expected(plain, prompt, size)
    assert sum(text is None for text in written) > 20
    assert (slots.free, slots.waiting) == (generator.slots, 0)
    while generator.engine.rows:
        await asyncio.sleep(0)
    assert 2 < generator.engine.largest_batch <= generator.slots


async def test_the_same_seed_writes_the_same_alone_and_in_company(generator) -> None:
    asked = Generation(prompt="The bridge", max_tokens=20, temperature=1.0, top_p=0.95, top_k=50, seed=7)
    alone, _ = await write(generator, asked)
    together = await asyncio.gather(
        write(generator, asked), *(write(generator, Generation(prompt=prompt, max_tokens=30)) for prompt in PROMPTS)
    )
    other, _ = await write(generator, Generation(prompt="The bridge", max_tokens=20, seed=8))
    assert together[0][0] == alone and other != alone


async def test_a_text_ends_before_its_stop_string_and_shows_nothing_of_it(generator, plain) -> None:
    whole = expected(plain, PROMPTS[0], 40)
    stop = whole[len(whole) // 2 :][:4]
    async with aclosing(generator.stream(greedy(PROMPTS[0], 40, stop=(stop, "never there")))) as pieces:
        *said, finish = [piece async for piece in pieces]
    assert "".join(said) == whole[: whole.index(stop)]
    assert finish.reason == "stop" and finish.completion_tokens < 40


async def test_the_end_of_text_token_ends_it_and_is_not_shown(generator, plain, monkeypatch) -> None:
    await generator.open()
    model, tokenizer = plain
    ids = tokenizer(PROMPTS[0], return_tensors="pt")["input_ids"]
    third = int(model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=3, do_sample=False)[0, -1])
    monkeypatch.setattr(generator.engine, "ends", {third})
    text, finish = await write(generator, greedy(PROMPTS[0]))
    assert finish.reason == "stop" and finish.completion_tokens <= 3
    assert len(text) < len(expected(plain, PROMPTS[0], 3)) or tokenizer.decode([third]) not in text


async def test_messages_are_put_into_the_models_own_template(generator, plain) -> None:
    text, finish = await write(generator, Generation(
        messages=(Said("system", "Be brief."), Said("user", "The bridge?")), max_tokens=12, temperature=0,
    ))
    prompt = "<|system|>Be brief.<|end|><|user|>The bridge?<|end|><|assistant|>"
    assert text == expected(plain, prompt, 12)
    assert finish.prompt_tokens == len(plain[1](prompt)["input_ids"])


async def test_a_prompt_longer_than_the_model_takes_is_refused_and_a_text_ends_there(generator) -> None:
    with pytest.raises(ModelsError, match="tokens") as caught:
        await write(generator, greedy("7 " * POSITIONS))
    assert caught.value.code == "too_large"
    _, finish = await write(generator, greedy("The bridge", 10_000))
    assert finish.prompt_tokens + finish.completion_tokens <= POSITIONS


async def test_a_folder_without_a_model_is_an_error_without_its_path(tmp_path) -> None:
    generator = CausalGenerator(CausalEngine("nothing", tmp_path))
    with pytest.raises(ModelsError) as caught:
        await write(generator, greedy("x"))
    await generator.close()
    assert caught.value.code == "unavailable" and str(tmp_path) not in caught.value.message


def test_greedy_and_narrow_sampling_take_the_likeliest() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 2.9])
    for settings in ({"temperature": 0}, {"top_k": 1}, {"top_p": 0.01}, {"temperature": 0.001}):
        assert Sampler(Generation(**settings)).choose(logits) == 1
    nucleus = Sampler(Generation(top_p=0.6, seed=1))
    assert {nucleus.choose(logits) for _ in range(200)} == {1, 3}
    wide = Sampler(Generation(seed=1))
    assert {wide.choose(logits) for _ in range(500)} == {0, 1, 2, 3}


@pytest.mark.parametrize("text", ["Grüße, 世界! 🙂🙃 done", "plain", "👩‍👩‍👧 a family"])
def test_characters_of_many_tokens_are_shown_whole(plain, text) -> None:
    tokenizer = plain[1]
    spelling = Spelling(tokenizer, ())
    pieces = [spelling.add(token) for token in tokenizer(text)["input_ids"]] + [spelling.end()]
    assert "".join(pieces) == text and not any("\ufffd" in piece for piece in pieces)


async def test_the_service_writes_for_many_clients_with_the_model_of_a_folder(tiny_generator, plain) -> None:
    service = ServiceProcess(None, generator=tiny_generator)
    await asyncio.to_thread(service.start)
    try:
        await asyncio.to_thread(service.wait_until_ready)
        async with ModelService([service.url]) as models:

            async def ask(number: int) -> str:
                asked = [ChatMessage(role="user", content=f"{number} bridges?")]
                writing = models.generate(asked, max_tokens=16, temperature=0, client=str(number % 3))
                async with aclosing(writing) as pieces:
                    *said, done = [piece async for piece in pieces]
                assert "".join(said) == done.text
                return done.text

            async with asyncio.timeout(120):
                written = await asyncio.gather(*(ask(number) for number in range(24)))
        for number in (0, 11, 23):
            assert written[number] == expected(plain, f"<|user|>{number} bridges?<|end|><|assistant|>", 16)
        assert service.metric(f'wenda_models_tokens_written_total{{model="{tiny_generator.name}"}}') > 24
    finally:
        service.stop()
