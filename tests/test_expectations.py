"""Predictions and their verdicts: an interval decides, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ases.arms import read_arms
from ases.choices import REAL_RATIONALES
from ases.expectations import expectations_table
from ases.parameters import load_file
from ases.study_expectations import size_expectations, variant_expectations
from ases.verdicts import FAILED, HELD, UNDECIDED, UNTESTED, verdicts_line


def tables(**changes: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """One training-set size; uni-path a little behind, random borders as good as entropy's, the lookup ahead."""
    chosen = {"flops": -0.2, "tokens": 0.1, "plateau": (-0.01, -0.03, 0.01), "gold": (0.0, -0.01, 0.02)}
    chosen |= {"random": (0.0, -0.02, 0.02), "two": (0.1, 0.08, 0.12), "lookup": 0.6, **changes}
    rows = [
        ("1e12 flops", "seq2seq", None),
        ("1e12 flops", "uni-path", chosen["flops"]),
        ("4e12 flops", "seq2seq", None),
        ("4e12 flops", "uni-path", chosen["flops"]),
        ("400e3 target_tokens", "uni-path", chosen["tokens"]),
    ]
    table = pd.DataFrame(rows, columns=["budget", "arm", "difference"]).assign(train_size=500, p_holm=0.01)
    table = table.assign(difference_low=table["difference"] - 0.02, difference_high=table["difference"] + 0.02)
    named = ["difference", "difference_low", "difference_high"]
    plateau = pd.DataFrame([{"arm": "uni-path", **dict(zip(named, chosen["plateau"], strict=True)), "accuracy": 0.4}])
    plateau.loc[1] = {"arm": "lookup", "accuracy": chosen["lookup"]}
    plateau = plateau.assign(train_size=500, low=plateau["accuracy"] - 0.02, high=plateau["accuracy"] + 0.02)
    pairs = {
        ("uni-path-merged", "uni-path-merged, strategy=random_boundaries"): chosen["random"],
        ("uni-path-merged", "dual-path-merged"): chosen["two"],
        ("uni-path-merged, strategy=gold", "uni-path-merged"): chosen["gold"],
    }
    claims = pd.DataFrame(
        [
            {"first": a, "second": b, "difference": d, "low": low, "high": high, "p_holm": 0.01, "measure": "correct"}
            for (a, b), (d, low, high) in pairs.items()
        ]
    ).assign(train_size=500)
    return table, plateau, claims


def verdicts(**changes: object) -> list[str]:
    return expectations_table(*tables(**changes))["verdict"].tolist()


def test_what_was_expected_and_came() -> None:
    assert verdicts() == [HELD, HELD, HELD, HELD, HELD, HELD, FAILED]
    found = expectations_table(*tables())
    assert found["evidence"].str.contains(r"\d").all() and set(found["train_size"]) == {500}
    assert verdicts_line(found) == "Of 7 predictions (each training-set size counts) 6 held, 1 did not hold."


@pytest.mark.parametrize(
    ("place", "change", "verdict"),
    [
        (0, {"flops": 0.2}, FAILED),
        (1, {"tokens": -0.1}, FAILED),
        (2, {"plateau": (0.1, 0.06, 0.14)}, FAILED),
        (2, {"plateau": (0.04, 0.01, 0.07)}, UNDECIDED),
        (3, {"random": (0.06, 0.04, 0.08)}, FAILED),
        (3, {"random": (0.02, 0.00, 0.04)}, UNDECIDED),
        (3, {"random": (-0.3, -0.4, -0.2)}, HELD),
        (4, {"two": (-0.1, -0.12, -0.08)}, FAILED),
        (5, {"gold": (0.05, 0.04, 0.06)}, FAILED),
        (6, {"lookup": 0.1}, HELD),
        (6, {"lookup": 0.41}, UNDECIDED),
    ],
)
def test_an_interval_decides(place: int, change: dict[str, object], verdict: str) -> None:
    assert verdicts(**change)[place] == verdict


def test_what_was_not_run_is_not_judged() -> None:
    table, plateau, claims = tables()
    only = expectations_table(table[table["arm"] == "seq2seq"], plateau[:0], claims[:0])
    assert only["verdict"].tolist() == [UNDECIDED, *[UNTESTED] * 6]


def test_one_budget_shows_no_plateau() -> None:
    table, plateau, claims = tables(plateau=(0.1, 0.06, 0.14))
    judged = expectations_table(table[table["budget"] != "4e12 flops"], plateau, claims).iloc[2]
    assert judged["verdict"] == UNTESTED
    assert "one budget of FLOPs" in judged["evidence"] and "+10.0" in judged["evidence"]
    less = pd.DataFrame([{"budget": "1e12 flops", "arm": "uni-path-merged", "difference": -0.2, "p_holm": 0.01}])
    judged = expectations_table(pd.concat([table, less.assign(train_size=500)]), plateau, claims).iloc[2]
    assert judged["verdict"] == UNTESTED, "the other budget was not had by all"


def test_without_the_lookup_or_answers_nothing_is_said_of_it() -> None:
    table, plateau, claims = tables()
    for changed, reason in (
        (plateau[plateau["arm"] != "lookup"], "the lookup was not run"),
        (plateau.rename(columns={"accuracy": "rouge_l"}), "it is about answers"),
    ):
        judged = expectations_table(table, changed, claims).iloc[6]
        assert judged["verdict"] == UNTESTED and judged["evidence"].startswith(reason)


def row(size: int, budget: str, arm: str, accuracy: float, lead: float | None = None) -> dict[str, object]:
    """A cell with intervals of 2 points either way."""
    ends = {"low": accuracy - 0.02, "high": accuracy + 0.02}
    if lead is not None:
        ends |= {"difference": lead, "difference_low": lead - 0.02, "difference_high": lead + 0.02}
    return {"train_size": size, "budget": budget, "arm": arm, "accuracy": accuracy, **ends}


def by_size(**changes: float) -> pd.DataFrame:
    """Verdicts on ``07_efficiency``: leads of uni-path by size and budget as given, else all as expected."""
    leads = {"few": 0.1, "small": 0.0, "middle": -0.2, "large": -0.1, "more": 0.0, "low": 0.2, "high": 0.5} | changes
    leads = {"end": 0.2, "gain": 0.01, "turn": 0.1} | leads
    budgets = {"1e12 flops": "small", "4e12 flops": "middle", "16e12 flops": "large"}
    rows = []
    for size, base in ((125, 0.1), (500, 0.2), (2000, 0.4), (8000, 0.8)):
        for budget, name in budgets.items():
            gained = leads["more"] if name == "large" and size == 125 else 0.0
            rows.append(row(size, budget, "seq2seq", base + gained))
            rows.append(row(size, budget, "uni-path", base + leads[name], leads[name]))
    rows.append(row(500, "64e12 flops", "seq2seq", 0.2 + leads["gain"]))
    rows.append(row(500, "64e12 flops", "uni-path", 0.2 + leads["end"], leads["end"]))
    rows.append(row(2000, "64e12 flops", "uni-path", 0.6, leads["turn"]))
    best = [one | {"budget": "best budget"} for one in rows if one["budget"].startswith("16e12")]
    for one in best:
        if one["arm"] == "uni-path" and one["train_size"] in (125, 500):
            one.update(row(one["train_size"], "best budget", "uni-path", 0.2, leads["few"]))
    multiples = pd.DataFrame([{"arm": "uni-path", "train_size": 500, "low": leads["low"], "high": leads["high"]}])
    return size_expectations(pd.DataFrame(rows), pd.DataFrame(best), multiples)


def test_predictions_about_sizes_that_came_true() -> None:
    found = by_size()
    assert found["verdict"].tolist() == [HELD] * 11
    assert verdicts_line(found) == "Of 11 predictions 11 held."


@pytest.mark.parametrize(
    ("place", "change", "verdict"),
    [
        (1, {"low": 1.5, "high": 3.0}, FAILED),
        (1, {"low": 0.5, "high": 2.0}, UNDECIDED),
        (2, {"small": 0.3}, FAILED),
        (2, {"small": -0.18}, UNDECIDED),
        (3, {"few": -0.1}, FAILED),
        (3, {"few": 0.01}, UNDECIDED),
        (4, {"large": 0.1}, FAILED),
        (4, {"large": -0.3}, FAILED),
        (4, {"large": -0.19}, UNDECIDED),
        (5, {"more": 0.1}, FAILED),
        (5, {"more": 0.01}, UNDECIDED),
        (6, {"end": -0.1}, FAILED),
        (6, {"end": 0.01}, UNDECIDED),
        (7, {"gain": 0.1}, FAILED),
        (7, {"gain": 0.03}, UNDECIDED),
        (8, {"turn": -0.1}, FAILED),
        (8, {"turn": 0.01}, UNDECIDED),
        (9, {"large": 0.1}, FAILED),
        (9, {"large": -0.19}, UNDECIDED),
        (10, {"gain": -0.1}, FAILED),
        (10, {"gain": -0.03}, UNDECIDED),
    ],
)
def test_a_prediction_about_sizes_is_judged_by_its_interval(place: int, change: dict[str, float], verdict: str) -> None:
    assert by_size(**change)["verdict"].iloc[place] == verdict


def test_sizes_and_budgets_that_were_not_run_are_not_judged() -> None:
    rows = pd.DataFrame([row(48, "20e9 flops", "seq2seq", 0.1), row(48, "20e9 flops", "uni-path", 0.1, 0.0)])
    multiples = pd.DataFrame({"arm": [], "train_size": [], "low": [], "high": []})
    assert size_expectations(rows, rows, multiples)["verdict"].tolist() == [UNTESTED, UNDECIDED, *[UNTESTED] * 9]


FEW = ["few", "middle", "closer", "most"]


def at_largest_budget(**changes: float) -> dict[str, str]:
    """Verdicts that did not hold, on what ``07_experiment`` says of four times the FLOPs, of two training-set sizes."""
    found = {"seq2seq": 0.8, "answer-only": 0.2, "uni-path": 0.7, "uni-path-merged": 0.5}
    found |= {"uni-path-merged, strategy=gold": 0.6, "uni-path-merged, strategy=random_boundaries": 0.4}
    found |= {"dual-path-merged": 0.45, "dual-path-merged, strategy=gold": 0.52} | changes
    leads = {"few": 0.1, "middle": -0.1, "most": 0.1, "gold": 0.1, "others": -0.1}
    few, middle, most, gold, others = (found.pop(name, usual) for name, usual in leads.items())
    rows = [row(2000, "16e12 flops", arm, value, value - found["seq2seq"]) for arm, value in found.items()]
    rows += [row(500, "16e12 flops", arm, 0.3 + few, few) for arm in found]
    rows += [row(500, "64e12 flops", arm, 0.3 + most, most) for arm in ("seq2seq", "uni-path")]
    at_tokens = {arm: gold if arm == "uni-path-merged, strategy=gold" else others for arm in found}
    rows += [row(2000, "3.2e6 target_tokens", arm, 0.5, lead) for arm, lead in at_tokens.items()]
    elsewhere = [row(2000, "4e12 flops", arm, 0.9, 0.1) for arm in found]
    elsewhere += [row(500, "4e12 flops", arm, 0.9, middle) for arm in found]
    table = pd.DataFrame([*elsewhere, *rows]).assign(p_holm=0.01)
    nothing = table[:0].assign(first="", second="", measure="")
    assert len(of_the_budget(table[: len(elsewhere)], nothing)) == 0
    both = of_the_budget(table, nothing)
    only = of_the_budget(table[table["train_size"] == 2000], nothing)
    assert only == [UNTESTED] * len(FEW) + both[len(FEW) :], "each prediction needs its own size only"
    names = [*FEW, "labels", "pieces", "answers", "two", "all", "gold", "others"]
    return {name: verdict for name, verdict in zip(names, both, strict=True) if verdict != HELD}


def of_the_budget(table: pd.DataFrame, nothing: pd.DataFrame) -> list[str]:
    found = expectations_table(table, nothing, nothing)
    return found["verdict"].tolist()[7 * table["train_size"].nunique() :]


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({}, {}),
        ({"few": -0.1, "middle": -0.3}, {"few": FAILED}),
        ({"few": 0.01, "middle": -0.1}, {"few": UNDECIDED}),
        ({"few": -0.2, "middle": -0.1}, {"few": FAILED, "closer": FAILED}),
        ({"few": -0.1, "middle": -0.1}, {"few": FAILED, "closer": UNDECIDED}),
        ({"middle": 0.0}, {"middle": UNDECIDED}),
        ({"middle": 0.1}, {"middle": FAILED, "closer": UNDECIDED}),
        ({"most": 0.06}, {"most": UNDECIDED}),
        ({"most": 0.02}, {"most": FAILED}),
        ({"uni-path": 0.5}, {"pieces": FAILED}),
        ({"uni-path-merged": 0.61}, {"labels": UNDECIDED}),  # entropy's are above gold
        ({"uni-path-merged, strategy=gold": 0.41}, {"labels": UNDECIDED, "two": FAILED}),
        ({"uni-path-merged, strategy=gold": 0.30}, {"labels": FAILED, "two": FAILED}),
        ({"answer-only": 0.5}, {"answers": FAILED}),
        ({"dual-path-merged, strategy=gold": 0.46}, {"two": UNDECIDED}),
        ({"dual-path-merged, strategy=gold": 0.65}, {"two": FAILED}),
        ({"seq2seq": 0.4}, {"all": FAILED}),
        ({"seq2seq": 0.71}, {"all": UNDECIDED}),
        ({"gold": -0.1}, {"gold": FAILED}),
        ({"gold": 0.01}, {"gold": UNDECIDED}),
        ({"others": 0.1}, {"others": FAILED}),
        ({"others": -0.01}, {"others": UNDECIDED}),
    ],
)
def test_predictions_about_the_larger_budget(changes: dict[str, float], others: dict[str, str]) -> None:
    assert at_largest_budget(**changes) == others


def of_real_rationales(data: str = REAL_RATIONALES, *, budget: str = "16e12 flops", **changes: float) -> list[str]:
    found = {"seq2seq": 0.02, "uni-path": 0.01, "lookup": 0.3} | changes
    ahead = found.pop("rouge_l", 0.05)
    table = pd.DataFrame([row(2239, budget, arm, share, share - found["seq2seq"]) for arm, share in found.items()])
    table["training_flops"] = (table["arm"] != "lookup") * 16e12
    for end, moved in (("", 0.0), ("_low", -0.02), ("_high", 0.02)):
        table[f"rouge_l_difference{end}"] = -ahead + moved
    nothing = table[:0].assign(first="", second="", measure="")
    return expectations_table(table.assign(p_holm=0.01), nothing, nothing, data)["verdict"].tolist()[7:]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [HELD, HELD]),
        ({"uni-path": 0.045}, [UNDECIDED, HELD]),
        ({"uni-path": 0.1}, [FAILED, HELD]),
        ({"rouge_l": 0.01}, [HELD, UNDECIDED]),
        ({"rouge_l": -0.03}, [HELD, FAILED]),
    ],
)
def test_predictions_about_real_rationales(changes: dict[str, float], found: list[str]) -> None:
    assert of_real_rationales(**changes) == found


def test_predictions_are_about_one_data_set_and_budget() -> None:
    assert of_real_rationales(budget="4e12 flops") == [UNTESTED, UNTESTED]
    assert of_real_rationales("reports") == [UNTESTED] * 3
    assert len(of_real_rationales("generated")) == 11


def of_reports(**changes: float) -> pd.DataFrame:
    """Predictions about reports: ROUGE-L of two budgets, with the larger of which single pieces stay behind."""
    most = {"seq2seq": 0.25, "uni-path-merged": 0.15, "uni-path": 0.08, "lookup": 0.30} | changes
    less = {"seq2seq": 0.25, "uni-path-merged": 0.07, "uni-path": 0.03, "lookup": 0.30}
    rows = [
        row(500, budget, arm, score, score - found["seq2seq"]) | {"training_flops": 1.0}
        for budget, found in (("8e12 flops", less), ("32e12 flops", most))
        for arm, score in found.items()
    ]
    table = pd.DataFrame(rows).assign(p_holm=0.01).rename(columns={"accuracy": "rouge_l"})
    nothing = table[:0].assign(first="", second="", measure="")
    return expectations_table(table, nothing, nothing, "reports")[7:]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [HELD, HELD, HELD]),
        ({"uni-path": 0.04}, [UNDECIDED, HELD, HELD]),
        ({"uni-path": 0.0}, [FAILED, HELD, HELD]),
        ({"uni-path": 0.16}, [HELD, UNDECIDED, HELD]),
        ({"uni-path": 0.28}, [HELD, FAILED, UNDECIDED]),
        ({"seq2seq": 0.36}, [FAILED, HELD, FAILED]),
    ],
)
def test_predictions_about_reports(changes: dict[str, float], found: list[str]) -> None:
    judged = of_reports(**changes)
    assert judged["verdict"].tolist() == found
    assert judged["evidence"].str.contains("ROUGE-L").all() and not judged["evidence"].str.contains("points").any()


LOOKING, ASKING = ("novelty", "similarity"), ("loss", "information_gain")


def of_variants(absent: str = "", **changes: float) -> pd.DataFrame:
    return of_variants_named(str, absent, **changes)


def of_variants_named(written: Callable[[str], str], absent: str = "", **changes: float) -> pd.DataFrame:
    """Verdicts on ``07_sensitivity``: accuracies, leads over seq2seq and gains over entropy's labels as given."""
    chosen = {"typed": 0.0, "looking": 0.2, "asking": 0.0, "beta": 0.0, "plain": 0.8, "wide": -0.1, "stories": -0.1}
    chosen |= {"start": -0.05, "scratch": -0.2, "lost": 0.3, "longer": 0.1, "enough": 0.2} | changes
    gains = {"typed=true": chosen["typed"], "beta=1.0": chosen["beta"], "beta=2.0": -chosen["beta"]}
    gains |= {f"strategy={one}": chosen["looking"] for one in LOOKING}
    gains |= {f"strategy={one}": chosen["asking"] for one in ASKING}
    told = {"seq2seq": (0.9, None), "uni-path": (chosen["plain"], chosen["scratch"])}
    never = "held_out_schemas=true"
    told |= {f"seq2seq, {never}": (0.9 - chosen["lost"], None), "uni-path, init=seq2seq": (0.8, chosen["start"])}
    told |= {f"uni-path, {never}": (chosen["plain"] - chosen["lost"], chosen["stories"])}
    told |= {f"uni-path-merged, strategy=gold, {never}": (0.4, chosen["stories"])}
    told |= {"uni-path, model=micro": (0.7, chosen["wide"])}
    told |= {"uni-path, steps_to=4, longest_learned=2": (0.2, chosen["longer"])}
    told |= {f"uni-path-merged, {one}": (0.4 + gain, -0.1) for one, gain in gains.items()}
    rows = [row(2000, "16e12 flops", arm, *values) for arm, values in told.items() if arm != absent]
    labels = [row(2000, "16e12 flops", f"uni-path-merged, {one}", 0.4 + gain, gain) for one, gain in gains.items()]
    labels = [one for one in labels if one["arm"] != absent]
    elsewhere = [one | {"budget": "4e12 flops"} for one in rows], [one | {"train_size": 500} for one in labels]
    tables = [pd.DataFrame([*one, *own]) for one, own in zip(elsewhere, (rows, labels), strict=True)]
    lengths = [
        {"arm": f"{arm}, steps_to=4, longest_learned=2", "longer": True, **with_enough(chosen["enough"])}
        for arm in ("seq2seq", "uni-path")
    ]
    learned = [{"arm": arm, "longer": False, **with_enough(1.0)} for arm in ("seq2seq", "uni-path")]
    tables.append(pd.DataFrame([*lengths, *learned]).assign(train_size=2000, budget="16e12 flops"))
    tables[2] = tables[2][tables[2]["arm"] != absent]
    return variant_expectations(*(one.assign(arm=one["arm"].map(written)) for one in tables))


def with_enough(share: float) -> dict[str, float]:
    return {"enough": share, "enough_low": share - 0.02, "enough_high": share + 0.02}


def test_a_variant_is_known_however_its_parameters_are_written() -> None:
    written = {
        "typed=true": "typed=True",
        "beta=1.0": "beta=1",
        "steps_to=4, longest_learned=2": "longest_learned=2, steps_to=4",
    }
    names = of_variants_named(lambda arm: next((arm.replace(a, b) for a, b in written.items() if a in arm), arm))
    assert names["verdict"].tolist() == [HELD] * 11


def test_every_prediction_about_variants_has_its_arms_among_the_parameters() -> None:
    path = Path(__file__).resolve().parents[1] / "params" / "classroom.yaml"
    rows = [row(2000, "16e12 flops", arm.name, 0.5, 0.0) for arm in read_arms(load_file(path)["variants"])]
    lengths = pd.DataFrame([one | {"longer": True, **with_enough(0.5)} for one in rows])
    verdicts_found = variant_expectations(pd.DataFrame(rows), pd.DataFrame(rows), lengths)["verdict"]
    assert len(verdicts_found) == 11 and UNTESTED not in verdicts_found.tolist()


def test_what_has_no_answers_is_not_judged_by_accuracy() -> None:
    rows = pd.DataFrame([row(2000, "16e12 flops", arm, 0.5, 0.0) for arm in ("seq2seq", "uni-path")])
    scores = rows.rename(columns={"accuracy": "rouge_l"}).assign(p_holm=0.5)
    assert set(variant_expectations(scores, scores, scores.assign(longer=True))["verdict"]) == {UNTESTED}
    multiples = pd.DataFrame({"arm": [], "train_size": [], "low": [], "high": []})
    assert set(size_expectations(scores, scores, multiples)["verdict"]) <= {UNTESTED, UNDECIDED}
    claims = pd.DataFrame(columns=["first", "second", "difference", "measure", "train_size"])
    of_answers = expectations_table(scores, scores, claims, "reports").iloc[[2, 6]]
    assert set(of_answers["verdict"]) == {UNTESTED} and of_answers["evidence"].str.startswith("it is about").all()


def test_predictions_about_variants_that_came_true() -> None:
    found = of_variants()
    assert found["verdict"].tolist() == [HELD] * 11
    assert found["evidence"].str.contains(r"\d").all()


@pytest.mark.parametrize(
    ("place", "change", "verdict"),
    [
        (0, {"typed": 0.1}, FAILED),
        (0, {"typed": 0.02}, UNDECIDED),
        (0, {"typed": -0.2}, HELD),
        (1, {"looking": 0.0}, FAILED),
        (1, {"looking": 0.04}, UNDECIDED),
        (2, {"asking": 0.1}, FAILED),
        (2, {"asking": 0.02}, UNDECIDED),
        (3, {"plain": 0.5}, FAILED),
        (3, {"plain": 0.61}, UNDECIDED),
        (4, {"beta": 0.1}, FAILED),
        (4, {"beta": 0.04}, UNDECIDED),
        (5, {"start": -0.3}, FAILED),
        (5, {"start": -0.19}, UNDECIDED),
        (6, {"wide": 0.1}, FAILED),
        (6, {"wide": -0.01}, UNDECIDED),
        (7, {"lost": 0.0}, FAILED),
        (7, {"lost": 0.06}, UNDECIDED),
        (8, {"stories": 0.1}, FAILED),
        (8, {"stories": -0.01}, UNDECIDED),
        (9, {"longer": -0.1}, FAILED),
        (9, {"longer": 0.01}, UNDECIDED),
        (10, {"enough": 0.6}, FAILED),
        (10, {"enough": 0.49}, UNDECIDED),
    ],
)
def test_a_prediction_about_a_variant_is_judged_by_its_interval(
    place: int, change: dict[str, float], verdict: str
) -> None:
    assert of_variants(**change)["verdict"].iloc[place] == verdict


@pytest.mark.parametrize(
    ("absent", "untested"),
    [
        ("uni-path-merged, typed=true", [0]),
        ("uni-path-merged, strategy=novelty", [1, 3]),
        ("uni-path-merged, strategy=loss", [2, 3]),
        ("uni-path-merged, beta=2.0", [4]),
        ("uni-path", [3, 5, 7]),
        ("uni-path, init=seq2seq", [5]),
        ("uni-path, model=micro", [6]),
        ("seq2seq, held_out_schemas=true", [7]),
        ("uni-path-merged, strategy=gold, held_out_schemas=true", [8]),
        ("uni-path, steps_to=4, longest_learned=2", [9, 10]),
    ],
)
def test_a_variant_that_was_not_run_is_not_judged(absent: str, untested: list[int]) -> None:
    verdicts_found = of_variants(absent)["verdict"]
    assert verdicts_found.index[verdicts_found == UNTESTED].tolist() == untested
