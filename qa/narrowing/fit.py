"""`python -m qa.narrowing.fit FILE...`: learn which stretch of a sentence answers, from SQuAD-format data in Chinese.

Prints what networks of the other paragraphs reach on each fifth of the paragraphs, then writes weights.safetensors,
which has learned from all of them.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from models_service.evaluation import squad
from models_service.formats.squad import Question, read_squad
from qa.narrowing.features import asked
from qa.narrowing.network import WEIGHTS, Network
from qa.narrowing.stretches import stretches
from qa.sentence_match import best_sentences, question_terms, rarity
from qa.terms import terms

FOLDS, NETWORKS, HIDDEN, DROPOUT, EPOCHS, BATCH = 5, 3, 64, 0.5, 15, 16
RATE, DECAY = 3e-3, 1e-3
TEMPERATURE = 0.15
"""Of F1: a stretch better by this is e times as right."""
TOLD_FROM = 0.3
"""F1 of the best stretch, from which a sentence is learned from: else it does not hold the answer."""


@dataclass(frozen=True)
class Case:
    """A question and the sentence of its paragraph that shares its rarest words; of each stretch its features and F1.
    """

    paragraph: int
    sentence: float
    features: np.ndarray
    f1: np.ndarray
    em: np.ndarray


def cases_of(questions: Sequence[Question]) -> list[Case]:
    paragraphs = {context: number for number, context in enumerate(dict.fromkeys(one.context for one in questions))}
    frequencies = Counter(term for context in paragraphs for term in set(terms(context)))
    found = []
    for one in questions:
        weights = rarity(question_terms(one.question), frequencies, len(paragraphs))
        best, wanted = best_sentences(weights, [one.context], 1)[0], asked(one.question)
        if not best or wanted is None:
            continue
        text = best[0].text
        of_it = stretches(wanted, text)
        if not of_it.places:
            continue
        made = [text[start:end] for start, end in of_it.places]
        found.append(Case(
            paragraphs[one.context], squad.f1(text, one.texts), wanted.features(text, of_it),
            np.array([squad.f1(own, one.texts) for own in made], np.float32),
            np.array([squad.exact_match(own, one.texts) for own in made], np.float32),
        ))
    return found


def learned(cases: Sequence[Case]) -> Network:
    cases = [case for case in cases if case.f1.max() > TOLD_FROM]
    everything = np.concatenate([case.features for case in cases])
    mean, deviation = everything.mean(axis=0), everything.std(axis=0) + 1e-3
    inputs = [torch.from_numpy((case.features - mean) / deviation) for case in cases]
    targets = [torch.softmax(torch.from_numpy(case.f1) / TEMPERATURE, 0) for case in cases]
    nets = [_one(inputs, targets, seed) for seed in range(NETWORKS)]
    parts = {"first": [net[0].weight for net in nets], "first_bias": [net[0].bias for net in nets],
             "last": [net[3].weight[0] for net in nets]}
    return Network({"mean": mean, "deviation": deviation,
                    **{name: torch.stack(own).detach().numpy() for name, own in parts.items()}})


def _one(inputs: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], seed: int) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(inputs[0].shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
                              torch.nn.Linear(HIDDEN, 1, bias=False))
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    rng, order = random.Random(seed), list(range(len(inputs)))
    for _ in range(EPOCHS):
        rng.shuffle(order)
        for begin in range(0, len(order), BATCH):
            some = order[begin : begin + BATCH]
            losses = [-(targets[i] * torch.log_softmax(net(inputs[i]).squeeze(-1), 0)).sum() for i in some]
            optimizer.zero_grad()
            torch.stack(losses).mean().backward()
            optimizer.step()
    return net.eval()


def cross_validated(cases: Sequence[Case]) -> dict[str, float]:
    """EM and F1 (0 to 100) of the stretches chosen, and the whole sentences' F1; each paragraph is in one fold."""
    folds = list(range(max(case.paragraph for case in cases) + 1))
    random.Random(0).shuffle(folds)
    values = []
    for fold in range(FOLDS):
        net = learned([case for case in cases if folds[case.paragraph] % FOLDS != fold])
        for case in cases:
            if folds[case.paragraph] % FOLDS == fold:
                best = int(net.scores(case.features).argmax())
                values.append((case.em[best], case.f1[best], case.sentence))
    em, f1, sentence = 100 * np.mean(values, axis=0)
    return {"em": float(em), "f1": float(f1), "f1_of_sentences": float(sentence)}


def main(paths: Sequence[Path]) -> None:
    torch.set_num_threads(1)
    questions = [question for path in paths for question in read_squad(path)]
    cases = cases_of(questions)
    print(f"{len(cases)} of {len(questions)} questions; on paragraphs not learned from: ", end="", flush=True)
    print("  ".join(f"{name} {value:.1f}" for name, value in cross_validated(cases).items()))
    save_file({name: own.astype(np.float32) for name, own in learned(cases).weights.items()}, WEIGHTS)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
