"""What is seen inside models: attention, what is hidden, states, gains of chains; and entropy beside length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ases import attention, information
from ases.attention import HIDDEN, SOURCES, blinded, looking, views_of
from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.length_control import detector_sentences, detector_table
from ases.losses import token_losses
from ases.models import fresh_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.scorers import Scorer, answer_table, score_table
from ases.segment_states import segment_states, separation, separation_sentences, silhouette
from ases.segments import Pair
from ases.tokens import train_codec

EXAMPLES = generate_problems(16, seed=8, steps_from=1, steps_to=3)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
MODEL = fresh_model("nano", CODEC, seed=1)


# Attention --------------------------------------------------------------------------------------------------------


def test_a_view_is_the_pair_of_the_next_piece_with_the_source_of_each_token():
    example = EXAMPLES[0]
    pieces, views = split_pieces(example.rationale), views_of([example], CODEC)
    assert [view.label for view in views] == list(example.gold[1:])
    last = views[-1]
    earlier = [CODEC.encode(piece) for piece in pieces[:-1]]
    assert last.context == (*CODEC.encode(example.question), *(i for ids in earlier for i in ids), CODEC.end)
    assert last.target == tuple(CODEC.encode(pieces[-1])) and len(last.sources) == len(last.context)
    by_source = {number: last.sources.count(number) for number in range(len(SOURCES))}
    sizes = {
        label: sum(len(ids) for ids, of in zip(earlier, example.gold, strict=False) if of == label)
        for label in (ES, AS)
    }
    assert by_source == {0: len(CODEC.encode(example.question)), 1: sizes[ES], 2: sizes[AS], 3: 1}
    with pytest.raises(DataError, match="no gold"):
        views_of([replace(example, gold=None)], CODEC)


def test_attention_is_shared_out_among_the_sources():
    views = views_of(EXAMPLES[:6], CODEC)
    looks = looking(MODEL, views, CODEC)
    sums = looks.groupby([np.arange(len(looks)) // len(SOURCES)])["mass"].sum()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-4)
    assert set(looks["layer"]) == {1, 2} and set(looks["side"]) == {"decoder", "encoder"}
    absent = looks["share"].isna()
    assert (absent == looks["mass"].isna()).all() and absent.any()
    # one view alone, by the model's own output
    one = views[3]
    own = looking(MODEL, [one], CODEC)
    again = looks[looks.groupby(["side", "layer", "source"]).cumcount() == 3]
    keys = ["side", "layer", "source"]
    pd.testing.assert_series_equal(
        own.set_index(keys)["mass"].sort_index(), again.set_index(keys)["mass"].sort_index(), rtol=1e-4
    )


def test_a_model_that_looks_evenly_gives_each_source_its_share():
    even = fresh_model("nano", CODEC, seed=1)
    for block in even.decoder.block:
        block.layer[1].EncDecAttention.q.weight.data.zero_()
    looks = looking(even, views_of(EXAMPLES[:4], CODEC), CODEC)
    looks = looks[(looks["side"] == "decoder") & looks["mass"].notna()]
    assert looks["mass"].to_numpy() == pytest.approx(looks["share"].to_numpy(), abs=1e-5)


def test_with_nothing_hidden_the_loss_is_the_loss():
    views = views_of(EXAMPLES[:4], CODEC)
    found = blinded(MODEL, views, CODEC)
    plain = token_losses(MODEL, [Pair(v.qid, "model", v.label, v.context, v.target) for v in views], CODEC)
    whole = found[found["hidden"] == HIDDEN[0]]
    assert whole["loss"].to_numpy() == pytest.approx([row.mean() for row in plain], rel=1e-4)
    assert (found[found["hidden"] == HIDDEN[1]]["loss"].to_numpy() != whole["loss"].to_numpy()).all()


def test_tables_of_attention_and_of_what_is_hidden():
    views = views_of(EXAMPLES, CODEC)
    looks = looking(MODEL, views, CODEC).assign(arm="uni-path", seed=0)
    table = attention.attention_table(looks)
    row = table.query("side == 'decoder' and layer == 1 and label == 'AS' and source == 'question'").iloc[0]
    part = looks.query("side == 'decoder' and layer == 1 and label == 'AS' and source == 'question'")
    assert row["mass"] == pytest.approx(part["mass"].mean()) and row["n"] == len(part)
    losses = pd.DataFrame(
        [
            {
                "qid": f"q{n}",
                "label": label,
                "hidden": hidden,
                "loss": 1.0 + (hidden == HIDDEN[2]) * (2 + (label == AS)),
            }
            for n in range(9)
            for label in (ES, AS)
            for hidden in HIDDEN
        ]
    ).assign(arm="uni-path", seed=0)
    worth = attention.reading_again(losses).set_index(["hidden", "label"])
    assert worth.loc[(HIDDEN[2], AS), "rise"] == 3 and worth.loc[(HIDDEN[1], ES), "rise"] == 0
    said = attention.reading_sentences(table, worth.reset_index())
    assert "+2.00 for ES, +3.00 for AS" in said[0] and "held** (1 of 1" in said[-1]


# States -----------------------------------------------------------------------------------------------------------


def test_a_state_is_the_mean_over_the_tokens_of_its_piece():
    pieces, states = segment_states(MODEL, EXAMPLES[:3], CODEC)
    assert states.shape == (3, len(pieces), MODEL.config.d_model)
    second = split_pieces(EXAMPLES[1].rationale)[1]
    row = pieces.index[(pieces["qid"] == EXAMPLES[1].qid) & (pieces["piece"] == 1)].item()
    table = MODEL.get_input_embeddings().weight.detach().numpy()
    assert states[0, row] == pytest.approx(table[CODEC.encode(second)].mean(axis=0), abs=1e-5)
    alone, own = segment_states(MODEL, EXAMPLES[1:2], CODEC)
    assert own[:, 1] == pytest.approx(states[:, row], abs=1e-4), "padding changes nothing"
    assert alone["label"].tolist() == list(EXAMPLES[1].gold)


def test_separation_finds_what_is_apart_and_nothing_in_noise():
    generator = np.random.default_rng(0)
    pieces = pd.DataFrame({"qid": np.repeat(np.arange(40), 5).astype(str), "label": np.tile([ES, AS, ES, AS, ES], 40)})
    noise = generator.normal(size=(200, 6))
    apart = noise + 3.0 * (pieces["label"] == AS).to_numpy()[:, None]
    table = separation(pieces, np.stack([noise, apart]))
    assert table.loc[0, "low"] < 0.5 < table.loc[0, "high"] and abs(table.loc[0, "silhouette"]) < 0.05
    assert table.loc[1, "auc"] > 0.99 and table.loc[1, "silhouette"] > 0.4
    assert table["shuffled"].between(0.35, 0.65).all()
    said = separation_sentences(table.assign(arm="uni-path", seed=0))
    assert "held** (1 of 1" in said[-1]


def test_silhouette_by_hand():
    states = np.array([[0.0], [1.0], [10.0], [12.0]])
    # of the first: 1 to its own, 11 on average to the others; and so on
    expected = np.mean([(11 - 1) / 11, (10 - 1) / 10, (9.5 - 2) / 9.5, (11.5 - 2) / 11.5])
    assert silhouette(states, np.array([False, False, True, True])) == pytest.approx(expected)
    assert np.isnan(silhouette(states, np.array([False, False, False, True])))


# Gains ------------------------------------------------------------------------------------------------------------


def test_gains_of_gold_chains_and_of_written_ones_are_the_scorers():
    judge = Scorer(MODEL, CODEC)
    gold = information.gold_gains(EXAMPLES[:4], judge)
    pd.testing.assert_series_equal(gold["gain"], answer_table(EXAMPLES[:4], judge)["gain"])
    assert gold["label"].tolist() == [label for e in EXAMPLES[:4] for label in e.gold]
    rows = [
        {"qid": e.qid, "chain": c, "correct": r}
        for e, c, r in zip(EXAMPLES[:3], ("1 + 1 = 2. So 2.", " ", "No."), (True, False, False), strict=True)
    ]
    written = information.gain_table(pd.DataFrame(rows).assign(arm="uni-path", seed=1), EXAMPLES[:3], judge)
    assert written["source"].tolist() == [information.RIGHT] * 2 + [information.WRONG], "an empty chain has no piece"
    assert written["pieces"].tolist() == [2, 2, 1] and written["label"].isna().all()


def gains():
    rows = []
    for n in range(12):
        for source, arm, own in (
            (information.GOLD, "", (0.0, 1.0)),
            (information.RIGHT, "a", (0.1, 0.8)),
            (information.WRONG, "a", (0.1, -0.5)),
        ):
            for piece, gain in enumerate(own):
                label = (ES, AS)[piece] if not arm else None
                row = {"source": source, "arm": arm, "seed": 0, "qid": f"{n}{source[-5:]}", "piece": piece, "pieces": 2}
                rows.append(row | {"label": label, "gain": gain + 0.001 * n})
    return pd.DataFrame(rows)


def test_information_by_place_by_label_and_in_words():
    table = information.information_table(gains()).set_index(["source", "place"])
    assert list(dict.fromkeys(table.index.get_level_values("place"))) == ["1", "2", "last"]
    assert table.loc[(information.WRONG, "2"), "gain"] == table.loc[(information.WRONG, "last"), "gain"] < -0.4
    assert information.gain_by_label(gains()).set_index("label").loc[AS, "gain"] == pytest.approx(1.0055)
    total = information.total_table(gains())
    assert total["arm"].tolist() == ["", "a", "a"] and total["gain"].iloc[1] == pytest.approx(0.911)
    said = information.information_sentences(gains())
    assert any("+1.00 nats more in AS pieces" in line for line in said) and "held** (2 of 2" in said[-1]


# Entropy and length -----------------------------------------------------------------------------------------------


def scores(entropy):
    """A scorer's table in which the entropy of a piece is a function of its tokens and of gold."""
    table = score_table(EXAMPLES, Scorer(MODEL, CODEC), ("question",))
    gold = [label == AS for e in EXAMPLES for label in e.gold]
    return table.assign(entropy_question=entropy(table["tokens_question"].to_numpy(float), np.array(gold, dtype=float)))


def test_a_score_that_is_length_alone_knows_nothing_beyond_it():
    noise = np.random.default_rng(0)
    table = detector_table([scores(lambda n, gold: n * (1 + 0.02 * noise.normal(size=len(n))))], EXAMPLES).set_index(
        "reduce"
    )
    assert table.loc["sum", "auc"] == pytest.approx(table.loc["sum", "length_auc"], abs=0.05)
    assert table.loc["sum", "given_low"] < 0 < table.loc["sum", "given_high"]
    assert table.loc["sum", "with_length"] > 0.95


def test_a_score_that_knows_gold_keeps_it_with_length_held_fixed():
    table = detector_table([scores(lambda n, gold: n + 9 * gold)] * 2, EXAMPLES).set_index("reduce")
    assert table.loc["sum", "given_low"] > 0.3 and table.loc["sum", "seeds"] == 2
    assert table.loc["sum", "given_low"] < table.loc["sum", "given_length"] < table.loc["sum", "given_high"]
    assert detector_sentences(table.reset_index())[0].startswith("Given the question")
    with pytest.raises(DataError, match="no gold"):
        detector_table([scores(lambda n, gold: n)], [Example("q", "a?", "b.", None, "own")])
