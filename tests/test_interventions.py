"""Prefixes with one number changed: what is changed, what is kept, and how a model goes on from them."""

from __future__ import annotations

import pandas as pd
import pytest

from ases.arithmetic import numerals
from ases.begun import forced, prefix_ids
from ases.engines import TransformersWriter
from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.generation import write_chains
from ases.interventions import STATES, go_on, harm_difference, harm_sentences, harm_table, probes_for
from ases.labels import label_by_gold
from ases.models import fresh_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.segments import pairs_for
from ases.settings import settings_for
from ases.tokens import train_codec

EXAMPLES = generate_problems(40, seed=3, steps_from=1, steps_to=3)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
SETTINGS = settings_for({"size": "smoke", "max_chain_tokens": 60, "max_rounds": 3, "max_segment_tokens": 20}).generation


def test_by_hand():
    example = Example(
        "q", "Ann had 6 pens and got 4. Half were red. How many?", "Ann had 6 pens. She had 6 + 4 = 10. 10 / 2 = 5. "
        "The answer is 5.", "5", "own", gold=(ES, AS, AS, ES),
    )  # fmt: skip
    fact, inference = probes_for([example])
    assert (fact.kind, fact.before, fact.right) == (ES, (), "Ann had 6 pens. ")
    assert (inference.kind, inference.before, inference.right) == (AS, ("Ann had 6 pens. ",), "She had 6 + 4 = 10. ")
    assert (
        fact.wrong == f"Ann had {fact.changed} pens. " and inference.wrong == f"She had 6 + 4 = {inference.changed}. "
    )


def test_probes_change_one_number_and_nothing_else():
    probes = probes_for(EXAMPLES)
    assert len(probes) > 20 and [one.kind for one in probes[:4]] == [ES, AS, ES, AS]
    for one in probes:
        right, wrong = (split_pieces("".join(one.pieces(state))) for state in STATES)
        place, gold = len(one.before), one.example.gold
        assert gold[place] == one.kind and AS in gold[place + 1 :], "something is left to infer"
        assert right == split_pieces(one.example.rationale)[: place + 1] and right[:place] == wrong[:place]
        assert one.right != one.wrong and one.wrong.replace(one.changed, "") != one.wrong
        known = numerals(one.example.question) | numerals(one.example.rationale)
        assert int(one.changed) not in known and int(one.changed) in numerals(one.wrong)
    assert probes == probes_for(EXAMPLES), "drawn by qid"


def test_examples_without_labels_or_answers_give_none():
    bare = Example("q", "Ann had 6.", "Ann had 6. 6 + 4 = 10. 10 / 2 = 5.", "5", "own")
    assert probes_for([bare]) == []


@pytest.mark.parametrize("method", ["uni-path", "uni-path-merged", "dual-path-merged"])
def test_an_empty_prefix_is_generation_as_it_is(method):
    models = {name: fresh_model("nano", CODEC, seed=4) for name in ("model", "esm", "asm")}
    writers = {name: TransformersWriter(model, CODEC) for name, model in models.items()}
    example = EXAMPLES[0]
    plain = write_chains([("q", example.question)], writers, CODEC, method, SETTINGS)[0].text
    probe = probes_for(EXAMPLES)[0]
    empty = type(probe)(example, ES, (), "", "", "1")
    assert go_on([empty], models, CODEC, method, SETTINGS, {example.qid: [ES]})["chain"].tolist() == [plain, plain]


def test_the_decoder_begins_with_what_it_is_given_and_goes_on_as_it_would():
    model = fresh_model("nano", CODEC, seed=4)
    question = EXAMPLES[0].question
    (whole,) = write_chains([("q", question)], {"model": TransformersWriter(model, CODEC)}, CODEC, "seq2seq", SETTINGS)
    context = [*CODEC.encode(question), CODEC.end]
    (ids,) = forced(model, [context], [[]], SETTINGS.max_chain_tokens, CODEC)
    assert CODEC.decode(ids) == whole.text and len(ids) > 8
    rest = forced(model, [context] * 3, [ids[:5], ids[:2], []], SETTINGS.max_chain_tokens, CODEC)
    assert rest == [ids[5:], ids[2:], ids], "of equal texts the rest is the same, wherever they were cut"


def test_outcomes_are_of_each_probe_in_both_states():
    probes = probes_for(EXAMPLES)[:4]
    models = {"model": fresh_model("nano", CODEC, seed=4)}
    labels = {one.example.qid: label_by_gold(one.example) for one in probes}
    found = go_on(probes, models, CODEC, "uni-path-merged", SETTINGS, labels)
    assert found[["kind", "state"]].to_numpy().tolist() == [[one.kind, state] for one in probes for state in STATES]
    assert set(found["correct"]) <= {0.0, 1.0}
    with pytest.raises(DataError, match="answer-only"):
        go_on(probes, models, CODEC, "answer-only", SETTINGS)


def outcomes():
    """Of ten questions: facts never hurt; a wrong inference takes six of eight right answers."""
    rows = []
    for n in range(10):
        for kind in (ES, AS):
            for state in STATES:
                right = n < 8 if state == STATES[0] or kind == ES else n < 2
                rows.append({"qid": f"q{n}", "kind": kind, "state": state, "correct": float(right), "carried": 0.0})
    return pd.DataFrame(rows).assign(arm="uni-path", seed=0)


def test_harm_is_what_a_wrong_number_takes():
    table = harm_table(outcomes()).set_index("kind")
    assert table["accuracy"].tolist() == [0.8, 0.8]
    assert table.loc[ES, "harm"] == 0 and table.loc[AS, "harm"] == pytest.approx(0.6)
    difference = harm_difference(outcomes())
    assert difference["difference"].item() == pytest.approx(0.6) and difference["low"].item() > 0.2
    said = harm_sentences(table.reset_index(), difference)
    assert "an inference hurts more" in said[0] and "held** (1 of 1" in said[-1]
    level = difference.assign(arm="another", difference=0.0, low=-0.1, high=0.1)
    both = pd.concat([table.reset_index(), table.reset_index().assign(arm="another")])
    said = harm_sentences(both, pd.concat([difference, level]))
    assert "in part** (1 of 2 arms; intervals are not corrected" in said[-1], "an arm that cannot tell counts, too"
    turned = outcomes().assign(kind=lambda t: t["kind"].map({ES: AS, AS: ES}))
    said = harm_sentences(harm_table(turned), harm_difference(turned))
    assert "a fact hurts more" in said[0] and "did not hold" in said[-1]


@pytest.mark.parametrize(("method", "typed"), [("uni-path", False), ("uni-path", True), ("dual-path", False)])
def test_a_right_prefix_is_a_context_that_training_has_shown(method, typed):
    for probe in probes_for(EXAMPLES)[:10]:
        labels = label_by_gold(probe.example)
        shown = {pair.context for pair in pairs_for(method, probe.example, labels, CODEC, typed=typed)}
        ids = prefix_ids(probe.pieces(STATES[0]), CODEC, method, labels, typed)
        assert (*CODEC.encode(probe.example.question), *ids, CODEC.end) in shown
