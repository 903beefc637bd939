"""Grids made for tests: two methods at two budgets, the same questions hard for all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ases.cells import Grid

SEEDS, N = 3, 60
SMALL, LARGE = "1e12 flops", "4e12 flops"
TWO = {("seq2seq", SMALL): 0.3, ("seq2seq", LARGE): 0.5, ("uni-path", SMALL): 0.6, ("uni-path", LARGE): 0.4}


def grid(
    accuracies: dict[tuple[str, str], float], valid: dict[tuple[str, str], float] | None = None, seeds: int = SEEDS
) -> Grid:
    """A grid at one training-set size: (arm, budget) -> accuracy, the same questions hard for all."""
    rng, rows, costs = np.random.default_rng(0), [], []
    hardness = rng.uniform(size=N)
    for (arm, budget), accuracy in accuracies.items():
        for seed in range(seeds):
            right = hardness < accuracy + rng.normal(0, 0.02)
            for number in range(N):
                keys = {"train_size": 500, "budget": budget, "arm": arm, "seed": seed, "qid": f"q{number}"}
                rows.append({**keys, "correct": bool(right[number]), "bleu": 10.0, "rouge_l": 0.5, "flops": 1e6})
            keys = {"train_size": 500, "budget": budget, "arm": arm, "seed": seed}
            best = (valid or accuracies)[arm, budget]
            spent = {"training_flops": float(budget.split()[0]), "target_tokens": 1e5, "scorer_flops": 0.0}
            costs.append({**keys, "bleu": 12.0, "valid": best, "learning_rate": 3e-3, "epochs": 3.0, **spent})
    baselines = {arm: "seq2seq" for arm, _ in accuracies}
    return Grid(pd.DataFrame(rows), pd.DataFrame(costs), baselines)


def scored(made: Grid) -> Grid:
    """The grid with sentence BLEU and ROUGE-L that differ from question to question, uni-path's BLEU the lower."""
    rng, table = np.random.default_rng(1), made.predictions
    noise = rng.normal(0, 1, len(table))
    bleu = np.where(table["arm"] == "uni-path", 20.0, 30.0) + noise
    return Grid(table.assign(bleu=bleu, rouge_l=0.5 + noise / 100), made.costs, made.baselines)


def with_steps(made: Grid, lengths: int) -> Grid:
    """The grid with questions of 1 to so many steps, which come round in turn."""
    number = made.predictions["qid"].str.extract(r"(\d+)", expand=False).astype(int)
    return Grid(made.predictions.assign(steps=number % lengths + 1), made.costs, made.baselines)
