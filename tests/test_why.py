"""Why, from what arms wrote: trials, breaks, contributions, BLEU; and the figures, drawn from small tables."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ases import breaks, inside_figures, runs, why, why_figures
from ases.contributions import bleu_sentences, bleu_table, contribution_sentences, contribution_table
from ases.errors import DataError, ParameterError
from ases.examples import AS, ES, Example
from ases.steps import first_errors
from ases.trials import drawn_examples, learned_sentences, learned_when, looked_into, trials_of, verdict

ASKED = Example("q", "6 pots of 10, less 5?", "6 * 10 = 60. 60 - 5 = 55. The answer is 55.", "55", "own")
EXAMPLES = [Example(f"q{n}", ASKED.question, ASKED.rationale, "55", "own") for n in range(20)]
GOOD, BAD = ASKED.rationale, "6 * 10 = 61. 61 - 5 = 56. The answer is 56."
LATE = "6 * 10 = 60. 60 + 5 = 65. The answer is 65."


def written(right, arm, seed=0, other=BAD, bleu=(50.0, 20.0)):
    rows = [{"qid": f"q{n}", "chain": GOOD if n < right else other, "correct": n < right} for n in range(20)]
    return pd.DataFrame(rows).assign(
        arm=arm, seed=seed, bleu=lambda t: t["correct"].map({True: bleu[0], False: bleu[1]}) + np.arange(20) / 100
    )


def test_first_wrong_steps_are_those_of_steps_and_their_shares_add_up():
    predictions = pd.concat([written(5, "seq2seq"), written(10, "uni-path", other=LATE)])
    table = breaks.first_wrong(predictions, EXAMPLES)
    assert table[["arm", "kind", "step", "share", "chains"]].to_numpy().tolist() == [
        ["seq2seq", "arithmetic", 1, 0.75, 15],
        ["uni-path", "operation", 2, 0.5, 10],
    ]
    by_hand = first_errors(written(5, "x").assign(method="x"), EXAMPLES)
    assert (by_hand["kind"] == "arithmetic").mean() == 0.75
    after = breaks.after_prefix(predictions, EXAMPLES).set_index(["arm", "prefix"])["right"]
    assert after.loc[("seq2seq", breaks.PREFIXES[0])] == 1 and after.loc[("seq2seq", breaks.PREFIXES[1])] == 0
    apart = breaks.after_prefix_difference(predictions, EXAMPLES)
    assert apart["arm"].tolist() == ["seq2seq"] and apart["difference"].item() == 1
    said = breaks.break_sentences(table, apart)
    assert "in 75% at the first step" in said[0] and "held in part** (1 of 2" in said[-1]


RULES = pd.DataFrame(
    [
        ("seq2seq", "seq2seq", "none"),
        ("uni-path", "uni-path", "none"),
        ("merged", "uni-path-merged", "entropy"),
        ("random", "uni-path-merged", "random_boundaries"),
        ("two", "dual-path-merged", "entropy"),
    ],
    columns=["arm", "method", "rule"],
).assign(random_of=["", "", "", "entropy", ""], typed=False, other="")


def test_ingredients_add_up_from_the_baseline_to_an_arm():
    counts = {"seq2seq": 4, "uni-path": 12, "random": 11, "merged": 14, "two": 9}
    predictions = pd.concat([written(right, arm) for arm, right in counts.items()])
    table = contribution_table(predictions, RULES)
    found = {(row.ingredient, row.difference) for row in table.itertuples()}
    assert {(name, round(value * 20)) for name, value in found} == {
        ("iteration", 8),
        ("merging", -1),
        ("borders", 3),
        ("merging by the strategy", 2),
        ("two models", -5),
    }
    of = table.set_index("ingredient")["difference"]
    assert of["iteration"] + of["merging"] + of["borders"] == pytest.approx((14 - 4) / 20)
    assert (table["p_holm"] >= 0).all() and table["n"].eq(20).all()
    for ends, said in (
        ((0.16, 0.6), "held** (1 of 1"),
        ((0.1, 0.6), "cannot be judged"),
        ((0.0, 0.14), "did not hold"),
    ):
        known = table.copy()
        known.loc[known["ingredient"] == "iteration", ["low", "high"]] = ends  # the most that merging adds is 0.15
        assert said in contribution_sentences(known)[-1]
    other = RULES.assign(random_of=["", "", "", "gold", ""])
    assert "borders" not in set(contribution_table(predictions, other)["ingredient"]), "of segments of other lengths"
    typed = RULES.assign(typed=[False, False, True, False, False])
    assert "borders" not in set(contribution_table(predictions, typed)["ingredient"]), "typed is another ingredient"
    assert contribution_table(predictions, RULES[:1]).empty


def test_bleu_beside_accuracy():
    predictions = pd.concat([written(4, "seq2seq"), written(18, "uni-path", bleu=(20.0, 10.0))])
    table = bleu_table(predictions).set_index("arm")
    assert table.loc["uni-path", "more_accuracy"] == pytest.approx(0.7) and table.loc["uni-path", "more_bleu_high"] < 0
    assert table.loc["seq2seq", "apart"] == pytest.approx(30, abs=0.2)
    assert "held** (1 of 1" in bleu_sentences(table.reset_index())[-1]
    better = bleu_table(pd.concat([written(4, "seq2seq"), written(18, "uni-path")]))
    assert "did not hold" in bleu_sentences(better)[-1]
    none = bleu_table(pd.concat([written(0, "seq2seq"), written(0, "uni-path")]))
    assert none["right"].isna().all() and "cannot be judged" in bleu_sentences(none)[-1]


def log(arm, seed, es, as_):
    flops = np.arange(1, len(es) + 1) * 1e9
    table = pd.DataFrame({"flops": flops, "share": flops / flops[-1], "loss_es": es, "loss_as": as_})
    return table.assign(arm=arm, seed=seed, model="model", labels="gold")


def test_half_way_is_where_half_of_the_fall_is_done():
    when = learned_when(log("uni-path", 0, [3.0, 0.5, 0.5, 0.7], [3.0, 2.5, 2.0, 1.0])).set_index("tokens")
    assert when.loc["ES", "half_way"] == pytest.approx(0.375) and when.loc["AS", "half_way"] == pytest.approx(0.75)
    said = learned_sentences(when.reset_index())
    assert "held** (1 of 1" in said[-1]
    assert "ES tokens went from 3.00 to 0.50 and back up to 0.70 nats, AS tokens from 3.00 to 1.00;" in said[0]
    flat = learned_when(log("uni-path", 0, [1.0, 1.1], [1.0, 1.1]))
    assert flat["half_way"].isna().all() and "cannot be judged" in learned_sentences(flat)[-1]


def test_trials_are_the_trained_cells_of_a_grid():
    cells = [SimpleNamespace(arm=SimpleNamespace(name=arm), seed=seed, run=None) for arm in "ab" for seed in (4, 2, 7)]
    assert [(one.arm, one.seed) for one in looked_into(trials_of(cells))] == [("a", 4), ("a", 2), ("b", 4), ("b", 2)]
    with pytest.raises(DataError, match="lookup"):
        trials_of([SimpleNamespace(arm=SimpleNamespace(name="lookup"), seed=None, run=None)])
    drawn = drawn_examples(EXAMPLES, 5)
    assert drawn == drawn_examples(EXAMPLES, 5) and [EXAMPLES.index(one) for one in drawn] == sorted(
        map(EXAMPLES.index, drawn)
    )
    assert drawn_examples(EXAMPLES, 99) == EXAMPLES


def test_verdicts():
    assert "cannot be judged" in verdict(0, 0, "arms") and "did not hold" in verdict(0, 2, "arms")
    assert "in part** (1 of 2 arms)" in verdict(1, 2, "arms")


def test_what_took_time_is_found_again(tmp_path):
    class Place:
        path = staticmethod(lambda name: tmp_path / name)
        write_table = staticmethod(lambda name, table: table.to_parquet(tmp_path / name))
        progress = staticmethod(lambda message, done: None)

    trials, made = [SimpleNamespace(arm=arm, seed=1) for arm in "ab"], []

    def make(trial):
        if trial.arm == "b" and len(made) == 1:
            made.append("killed")
            raise KeyboardInterrupt
        made.append(trial.arm)
        return pd.DataFrame({"x": [1]})

    with pytest.raises(KeyboardInterrupt):
        why.over_trials(Place, trials, "t", make)
    table = why.over_trials(Place, trials, "t", make)
    assert made == ["a", "killed", "b"] and table["arm"].tolist() == ["a", "b"]


WHY = {
    "size": "smoke",
    "why_arms": ["seq2seq", "uni-path-merged"],
    "why_sizes": [96],
    "why_budgets": ["2e10 flops"],
    "why_seeds": [0, 1],
}


def test_a_plan_has_both_scorers_and_every_arm_once():
    run = runs.run_for("why", WHY)
    kinds = [(one.step, one.bits) for one in run.inputs]
    assert sum(step == "generation" for step, _ in kinds) == 4
    assert [bits for step, bits in kinds if step == "scoring"] == [
        "generated-96-seq2seq-seed0", "generated-96-seq2seq-seed1", "generated-96-answer-from-prefix-seed0",
    ]  # fmt: skip
    assert len(why.scorings_of(run, "seq2seq")) == 2 and len(why.scorings_of(run, "answer-from-prefix")) == 1
    assert [cell.arm.name for cell in runs.cells(run)] == ["seq2seq"] * 2 + ["uni-path-merged"] * 2
    assert run in runs.plan(WHY)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"why_sizes": [48, 96]}, "one why_sizes"),
        ({"why_arms": ["seq2seq", "lookup"]}, "lookup"),
        ({"why_arms": ["uni-path"]}, "without 'seq2seq'"),
        ({"data": "reports"}, "generated"),
    ],
)
def test_what_cannot_be_looked_into_is_refused_before_any_training(change, named):
    with pytest.raises(ParameterError, match=named):
        runs.run_for("why", WHY | change)


# Figures ----------------------------------------------------------------------------------------------------------

COUNTS = {"n": 20, "questions": 20, "seeds": 1}
ARMS = ("seq2seq", "uni-path-merged, strategy=gold")
KIND_ROWS = [{"arm": arm, "kind": kind} for arm in ARMS for kind in (ES, AS)]
TABLES = {
    why_figures.arm_losses: pd.concat([log(arm, 0, [3.0, 1.0], [3.0, 2.0]) for arm in ARMS]),
    why_figures.breaks: breaks.first_wrong(pd.concat([written(5, arm, other=LATE) for arm in ARMS]), EXAMPLES),
    why_figures.prefixes: breaks.after_prefix(pd.concat([written(5, arm) for arm in ARMS]), EXAMPLES),
    why_figures.harms: pd.DataFrame(KIND_ROWS).assign(
        accuracy=0.8, accuracy_wrong=0.3, harm=0.5, harm_low=0.4, harm_high=0.6, **COUNTS
    ),
    why_figures.contributions: contribution_table(
        pd.concat([written(4, "seq2seq"), written(9, "uni-path")]), RULES[:2]
    ),
    why_figures.bleu_against: bleu_table(pd.concat([written(4, arm) for arm in ARMS])),
    inside_figures.pulls: pd.DataFrame(
        [
            {"arm": arm, "seed": seed, "model": "model", "share": share, "part": "all"}
            for arm in ARMS for seed in (0, 1) for share in (0.5, 1.0)
        ]
    ).assign(cosine=0.2, low=0.1, high=0.3, control=0.25, batches=8, **COUNTS),
    inside_figures.tokens_read: pd.DataFrame(
        [{"arm": "dual-path", "model": model, "target_tokens": 1e5} for model in ("esm", "asm")]
    ).assign(epochs=3.0, seeds=1),
    inside_figures.attention: pd.DataFrame(
        [
            {"arm": arm, "side": "decoder", "layer": layer, "label": label, "source": source}
            for arm in ARMS for layer in (1, 2) for label in (ES, AS) for source in ("question", "earlier ES pieces")
        ]
    ).assign(mass=0.5, share=0.4, low=0.4, high=0.6, **COUNTS),
    inside_figures.worth: pd.DataFrame(
        [
            {"arm": arm, "label": label, "hidden": hidden}
            for arm in ARMS for label in (ES, AS) for hidden in ("question", "earlier pieces")
        ]
    ).assign(rise=0.5, low=0.4, high=0.6, **COUNTS),
    inside_figures.separations: pd.DataFrame(
        [{"arm": arm, "seed": 0, "layer": layer} for arm in ARMS for layer in (0, 1)]
    ).assign(auc=0.9, low=0.8, high=0.95, shuffled=0.5, silhouette=0.1, n=99, questions=20),
    inside_figures.detector: pd.DataFrame(
        [{"condition": "question", "reduce": reduce} for reduce in ("sum", "mean")]
    ).assign(
        auc=0.7, length_auc=0.9, with_gold=0.3, given_length=-0.2, given_low=-0.3, given_high=-0.1, pieces=99,
        examples=20, seeds=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("draw", TABLES, ids=lambda draw: draw.__name__)
def test_a_figure_shows_its_axes_counts_and_every_row(draw):
    figure = draw(TABLES[draw])
    figure.canvas.draw()
    assert all(ax.get_xlabel() or ax.get_subplotspec().rowspan.start == 0 for ax in figure.axes)
    texts = [text.get_text() for legend in figure.legends for text in (*legend.get_texts(), legend.get_title())]
    said = " ".join([*texts, *(ax.get_title() + ax.get_ylabel() for ax in figure.axes)])
    assert any(word in said for word in ("n = ", "seeds"))
    for ax in figure.axes:  # nothing drawn lies outside the picture
        box = ax.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    plt.close(figure)


@pytest.mark.parametrize("draw", TABLES, ids=lambda draw: draw.__name__)
def test_a_table_that_lacks_what_is_drawn_is_refused(draw):
    with pytest.raises(DataError, match=draw.__name__):
        draw(TABLES[draw].iloc[:0])
    with pytest.raises(DataError, match="lacks"):
        draw(
            TABLES[draw].drop(
                columns=["arm" if "arm" in TABLES[draw] else "condition"]
                if "ingredient" not in TABLES[draw]
                else ["ingredient"]
            )
        )
