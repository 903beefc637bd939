"""Helped chains: what a head start gives, what is refused, and what comes out where nothing is helped."""

from __future__ import annotations

import pandas as pd
import pytest

from ases import figures, head_starts, helps, longer_figures
from ases.engines import TransformersWriter, Written
from ases.errors import DataError
from ases.evaluation import steps_of
from ases.examples import AS, ES, Example
from ases.generation import write_chains
from ases.head_starts import HELPS, Kept, begun_chains, head_start, kept_chains, steps_needed
from ases.longer_expectations import Found, longer_expectations
from ases.models import fresh_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.settings import settings_for
from ases.steps import NONE
from ases.tokens import train_codec

EXAMPLES = generate_problems(40, seed=3, steps_from=1, steps_to=4)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
SETTINGS = settings_for({"size": "smoke", "max_chain_tokens": 60, "max_rounds": 3, "max_segment_tokens": 20}).generation
SECOND = CODEC.decode(CODEC.encode("So")[:1])
TWO = Example(
    "q", "Ann had 6 pens and got 4. Half were red. How many?",
    "Ann had 6 pens. She had 6 + 4 = 10. 10 / 2 = 5 of them were red. The answer is 5.", "5", "own",
    gold=(ES, AS, AS, ES),
)  # fmt: skip


def test_a_head_start_ends_with_the_step_after_which_so_many_are_left() -> None:
    assert head_start(TWO, 2) == []
    assert head_start(TWO, 1) == ["Ann had 6 pens. ", "She had 6 + 4 = 10. "]
    assert head_start(TWO, 0) == ["Ann had 6 pens. ", "She had 6 + 4 = 10. ", "10 / 2 = 5 of them were red. "]
    for left in (-1, 3):
        with pytest.raises(DataError, match="2 steps"):
            head_start(TWO, left)


def test_every_head_start_is_a_beginning_of_the_reference() -> None:
    for one in EXAMPLES:
        needed = steps_needed(one.rationale)
        assert needed == steps_of(one), "one step an equation, as everywhere"
        for left in range(needed + 1):
            given = head_start(one, left)
            assert split_pieces(one.rationale)[: len(given)] == given
            assert steps_needed("".join(given)) == needed - left and not any("answer is" in piece for piece in given)
            assert not given or one.gold[len(given) - 1] == AS


@pytest.mark.parametrize("method", ["seq2seq", "uni-path", "dual-path"])
def test_with_everything_left_a_chain_is_the_models_own(method: str) -> None:
    models = {name: fresh_model("nano", CODEC, seed=4) for name in ("model", "esm", "asm")}
    writers = {name: TransformersWriter(model, CODEC) for name, model in models.items()}
    two = EXAMPLES[:2]
    plain = write_chains([(one.qid, one.question) for one in two], writers, CODEC, method, SETTINGS)
    found = begun_chains(two, models, CODEC, method, SETTINGS)
    assert found["left"].tolist() == [n for one in two for n in range(steps_needed(one.rationale), -1, -1)]
    whole = found[found["left"] == found["needed"]]
    assert whole["chain"].tolist() == [chain.text for chain in plain]
    for row in found.to_dict("records"):
        (one,) = (one for one in two if one.qid == row["qid"])
        assert row["chain"].startswith("".join(head_start(one, row["left"])))


@pytest.mark.parametrize("method", ["seq2seq", "uni-path"])
def test_what_states_no_answer_is_left_as_it_is(method: str) -> None:
    models = {"model": fresh_model("nano", CODEC, seed=4)}
    found = kept_chains(EXAMPLES[:3], models, CODEC, method, SETTINGS).set_index("help")
    assert found.loc[HELPS[0], "chain"].tolist() == found.loc[HELPS[1], "chain"].tolist()
    assert (found["enough"] == (found["steps"] >= found["needed"])).all()
    with pytest.raises(DataError, match="answer-only"):
        kept_chains(EXAMPLES[:3], models, CODEC, "answer-only", SETTINGS)


class _Scripted:
    """A writer that answers at once; its model is asked only through what a test puts in its place."""

    context_limit = None
    model = None

    def __init__(self, text: str, eoc: bool = False) -> None:
        self.text, self.eoc = text, eoc

    def write(self, contexts, limit):
        ids = (*CODEC.encode(self.text), *[CODEC.eoc] * self.eoc)
        return [Written(ids, True) for _ in contexts]


def kept(monkeypatch, text: str, rests: list[str], chain: str = "", eoc: bool = False) -> tuple[str, list[str], bool]:
    """What a :class:`Kept` makes of a text, what was kept each time, and whether the chain ended with it."""
    begun = []

    def forced(model, contexts, prefixes, limit, codec):
        begun.append(CODEC.decode(prefixes[0]))
        return [CODEC.encode(rests.pop(0))]

    monkeypatch.setattr(head_starts, "forced", forced)
    monkeypatch.setattr(Kept, "_second", lambda self, context, kept, refused: CODEC.encode("So")[0])
    question = CODEC.encode(TWO.question)
    writer = Kept(_Scripted(text, eoc), CODEC, {tuple(question): 2})
    (written,) = writer.write([[*question, *CODEC.encode(chain), CODEC.end]], 100)
    return CODEC.decode(written.ids), begun, CODEC.eoc in written.ids


def test_an_answer_that_comes_too_early_is_refused_until_there_are_enough_steps(monkeypatch) -> None:
    text, begun, ended = kept(monkeypatch, "6 + 4 = 10. The answer is 10.", [" 10 / 2 = 5. The answer is 5."])
    assert begun == [f"6 + 4 = 10.{SECOND}"] and text == f"6 + 4 = 10.{SECOND} 10 / 2 = 5. The answer is 5." and ended
    text, begun, ended = kept(monkeypatch, "The answer is 10.", [" red pens were 5. "], chain="6 + 4 = 10. ", eoc=True)
    assert begun == [SECOND] and text == f"{SECOND} red pens were 5. " and not ended, "a segment, and the chain goes on"
    text, begun, ended = kept(monkeypatch, "", [" they had 5. "], eoc=True)
    assert begun == [SECOND] and text == f"{SECOND} they had 5. " and not ended, "so does an end without an answer"


def test_an_answer_after_enough_steps_and_any_other_segment_stand(monkeypatch) -> None:
    for text, chain in (("The answer is 5.", "6 + 4 = 10. 10 / 2 = 5. "), ("So she had 10. ", "")):
        assert kept(monkeypatch, text, [], chain)[:2] == (text, [])


def test_one_that_answers_however_it_is_begun_is_let_end(monkeypatch) -> None:
    rests = [" the answer is 10."] * head_starts.REFUSALS
    text, begun, ended = kept(monkeypatch, "The answer is 10.", rests)
    assert len(begun) == head_starts.REFUSALS and not rests and text.endswith("the answer is 10.") and ended


def test_the_second_choice_is_neither_the_first_nor_an_end() -> None:
    model = fresh_model("nano", CODEC, seed=4)
    writer = TransformersWriter(model, CODEC)
    context = [*CODEC.encode(TWO.question), CODEC.end]
    first = writer.write([context], 1)[0].ids[0]
    second = Kept(writer, CODEC, {tuple(context[:-1]): 2})._second(context, [], first)
    assert second not in (first, CODEC.end, CODEC.eoc, CODEC.pad)


# Tables and figures -----------------------------------------------------------------------------------------------


def outcomes() -> pd.DataFrame:
    """Two arms: with two steps left 8 and 9 of ten learned problems are right, and 2 and 6 of the longer ones."""
    rows = []
    for arm, learned, longer in (("seq2seq", 8, 2), ("uni-path", 9, 6)):
        for is_longer, right in ((False, learned), (True, longer)):
            for left in range(3 + is_longer):
                rows += [
                    {
                        "arm": arm,
                        "longer": is_longer,
                        "left": left,
                        "qid": f"{is_longer}{n}",
                        "correct": n < right + 2 - left,
                    }
                    for n in range(10)
                ]
    return pd.DataFrame(rows).astype({"correct": float}).assign(seed=0)


def helped() -> pd.DataFrame:
    """Ten questions: seq2seq leaves out steps in eight, and is wrong in six of these when it may not end."""
    rows = []
    for arm, gained in (("seq2seq", 2), ("uni-path", 0)):
        for help_ in HELPS:
            right = 2 + gained * (help_ == HELPS[1])
            for n in range(10):
                kind = NONE if n < right else "missing" if help_ == HELPS[0] else "operand"
                rows.append({"arm": arm, "help": help_, "qid": f"q{n}", "kind": kind, "correct": float(n < right)})
    table = pd.DataFrame(rows).assign(seed=0, chain="c")
    return table.assign(enough=((table["help"] == HELPS[1]) | (table["kind"] == NONE)).astype(float))


def test_left_costs_and_leads_are_of_the_questions_that_they_say() -> None:
    table = helps.left_table(outcomes()).set_index(["arm", "longer", "left"])["correct"]
    assert table["seq2seq", False].tolist() == [1.0, 0.9, 0.8] and table["uni-path", True].tolist() == [
        0.8,
        0.7,
        0.6,
        0.5,
    ]
    costs = helps.length_costs(outcomes(), 2).set_index("arm")
    assert costs["difference"].tolist() == pytest.approx([0.6, 0.3]) and costs.loc["seq2seq", "low"] > 0.1
    leads = helps.arm_leads(outcomes(), 2, "seq2seq")
    assert leads["arm"].tolist() == ["uni-path"] and leads["difference"].item() == pytest.approx(0.4)
    said = helps.left_sentences(table.reset_index(), costs.reset_index(), 2)
    assert "lengths never shown: 40% with 0 left" in said[0]
    assert "seq2seq, with 2 steps left: problems of lengths never shown are answered less often than" in said[2]


def test_kept_gains_and_what_goes_wrong_instead() -> None:
    table, gains, kinds = (one(helped()) for one in (helps.kept_table, helps.kept_gains, helps.kinds_table))
    assert gains.set_index("arm")["difference"].to_dict() == {"seq2seq": pytest.approx(0.2), "uni-path": 0.0}
    shares = kinds.set_index(["arm", "help", "kind"])["share"]
    assert shares["seq2seq", HELPS[0], "missing"] == 0.8 and shares["seq2seq", HELPS[1], "operand"] == 0.6
    assert kinds.groupby(["arm", "help"])["share"].sum().tolist() == pytest.approx([1.0] * 4)
    all_of_them = table[table["help"] == HELPS[1]].iloc[0]
    assert all_of_them["enough"] == 1 and all_of_them["enough_low"] < 1, "all of ten says no more than it can"
    said = helps.kept_sentences(table, gains, kinds)
    assert "of its own chains 20% have enough steps" in said[0] and "(+20 points" in said[0]


def test_each_length_is_asked_about_as_often() -> None:
    drawn = helps.of_each_length(EXAMPLES, 3)
    counts = pd.Series([steps_needed(one.rationale) for one in drawn]).value_counts()
    assert counts.to_dict() == dict.fromkeys((1, 2, 3, 4), 3) and drawn == helps.of_each_length(EXAMPLES, 3)


def test_the_question_shown_is_one_whose_chains_were_changed() -> None:
    table = helped()
    table.loc[(table["qid"] == "q4") & (table["help"] == HELPS[1]), "chain"] = "d"
    examples = [Example(f"q{n}", f"Question {n}?", "R. ", "1", "own") for n in range(10)]
    lines = helps.shown_chains(table, examples)
    assert lines[0] == "**question**: Question 4?" and lines[-1] == f"**uni-path, {HELPS[1]}**: d" and len(lines) == 6


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (longer_figures.first_wrong, helps.kinds_table(helped())),
        (longer_figures.left_to_write, helps.left_table(outcomes())),
    ],
)
def test_figures_can_be_drawn_and_refuse_what_is_doubled(draw, table, tmp_path) -> None:
    figures.save(draw(table), table, tmp_path, "drawn")
    assert (tmp_path / "drawn.png").stat().st_size > 10_000
    with pytest.raises(DataError, match="two rows"):
        draw(pd.concat([table, table]))


# Predictions ------------------------------------------------------------------------------------------------------


def found(**changes: pd.DataFrame) -> Found:
    """What was predicted, clearly: each below its bound, and uni-path ahead."""
    arms = ["seq2seq", "uni-path, learning_rate=6e-3"]
    shares = {
        f"{value}{end}": at
        for value in ("correct", "enough")
        for end, at in (("", 0.05), ("_low", 0.03), ("_high", 0.07))
    }
    apart = {"difference": 0.2, "low": 0.1, "high": 0.3}
    tables = {
        "longer": pd.DataFrame({"arm": arms}).assign(**shares),
        "grid": pd.DataFrame({"arm": arms}).assign(difference=0.04, difference_low=0.01, difference_high=0.07),
        "costs": pd.DataFrame({"arm": arms}).assign(**apart),
        "leads": pd.DataFrame({"arm": arms[1:]}).assign(**apart),
        "gains": pd.DataFrame({"arm": arms}).assign(difference=0.01, low=-0.01, high=0.03),
    }
    return Found(**tables | changes)


def test_predictions_are_judged_by_whole_intervals() -> None:
    assert longer_expectations(found())["verdict"].tolist() == ["held"] * 6
    behind = found().grid.assign(difference=-0.04, difference_low=-0.07, difference_high=-0.01)
    many = found().longer.assign(correct=0.2, correct_low=0.15, correct_high=0.25)
    wide = found().gains.assign(high=0.06)
    verdicts = longer_expectations(found(grid=behind, longer=many, gains=wide))["verdict"].tolist()
    assert verdicts == ["did not hold", "did not hold", "held", "undecided", "held", "held"]


def test_predictions_about_arms_that_were_not_run_are_not_tested() -> None:
    others = found().longer.assign(arm=["seq2seq", "uni-path, beta=2.0"])
    none = found().leads[:0]
    verdicts = longer_expectations(found(longer=others, leads=none))["verdict"].tolist()
    assert verdicts == ["not tested", "held", "not tested", "held", "held", "not tested"]
