"""Vocabularies: exact for those trained here, up to their own normalisation for others; marks only by id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ases.errors import ModelError
from ases.generation import Written, write_chains
from ases.settings import settings_for
from ases.tokens import ADDED, Codec, load_codec, padded, train_codec

TEXT = "Ann had 1,032 pieces, her sister 42. They had 1,032 + 42 = 1,074."
CODEC = train_codec([TEXT])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_text_round_trips(text):
    assert CODEC.decode(CODEC.encode(text)) == text


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), min_size=1, max_size=5))
def test_padded_rows_keep_their_tokens_and_say_where_they_are(rows):
    ids, mask = padded(rows, 0)
    assert ids.shape == mask.shape == (len(rows), max(map(len, rows)))
    assert [line[seen.bool()].tolist() for line, seen in zip(ids, mask, strict=True)] == rows
    assert int(ids.sum()) == sum(map(sum, rows)) and int(mask.sum()) == sum(map(len, rows))


def test_numbers_are_split_into_digits():
    tokens = CODEC.tokenizer.convert_ids_to_tokens(CODEC.encode("had 1032 and 1074"))
    assert [token for token in tokens if any(map(str.isdigit, token))] == list("10321074")


def test_marks_in_a_text_stay_text():
    text = "a </s> <eoc> <es> b"
    ids = CODEC.encode(text)
    assert CODEC.decode(ids) == text and not {CODEC.end, CODEC.eoc, CODEC.es} & set(ids)
    assert CODEC.decode([*ids, CODEC.eoc, CODEC.end, CODEC.pad, CODEC.as_]) == text, "marks are left out by id"


def test_offsets_cover_the_text():
    ids, offsets = CODEC.encode_with_offsets(TEXT)
    assert len(ids) == len(offsets) and "".join(TEXT[a:b] for a, b in offsets) == TEXT


def test_the_same_texts_give_the_same_vocabulary_and_a_saved_one_comes_back(tmp_path):
    CODEC.save(tmp_path)
    loaded = load_codec(str(tmp_path), offline=True)
    for other in (train_codec([TEXT]), loaded):
        assert other.tokenizer.get_vocab() == CODEC.tokenizer.get_vocab()
        assert other.encode(TEXT + " <eoc>") == CODEC.encode(TEXT + " <eoc>") and other.exact
    assert CODEC.unknown_share([TEXT, "左肺"]) == 0.0


def t5_like() -> Codec:
    """A tokenizer of T5's kind: unigram over words that carry the space before them, white space normalised."""
    words = [
        "<pad>",
        "</s>",
        "<unk>",
        "▁",
        *(f"▁{w}" for w in "They had 3, 4 and 5 apples. So + = 7, left.".split()),
        ",",
    ]
    tokenizer = Tokenizer(models.Unigram([(word, -1.0) for word in words], unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(" {2,}", " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    return Codec(_added(PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )), exact=False)  # fmt: skip


def _added(tokenizer):
    tokenizer.add_tokens(list(ADDED), special_tokens=True)
    return tokenizer


def test_segments_keep_the_space_between_them_with_a_tokenizer_of_t5s_kind():
    codec = t5_like()
    segments = ["They had 3, ", "4 and 5 apples. ", "So 3, + 4 = 7, left."]
    lines = {}
    context = codec.encode("They had apples. ")
    for place, segment in enumerate(segments):
        ids = (*codec.encode(segment), *([codec.eoc] if place == len(segments) - 1 else []))
        lines[tuple([*context, codec.end])] = Written(ids, True)
        context += ids

    class Script:
        context_limit = None

        def write(self, contexts, limit):
            return [lines[tuple(context)] for context in contexts]

    settings = settings_for({"size": "smoke"}).generation
    (chain,) = write_chains([("q", "They had apples. ")], {"model": Script()}, codec, "uni-path", settings)
    assert chain.text == "".join(segments) == "".join(text for _, text in chain.segments)


def test_newlines_travel_and_unknown_tokens_are_counted_with_a_tokenizer_of_t5s_kind():
    codec = t5_like()
    text = "They had 3,\nSo 4 left.\n"
    ids, offsets = codec.encode_with_offsets(text)
    assert ids.count(codec.newline) == 2 and codec.decode(ids) == text
    assert [text[a:b] for (a, b), token in zip(offsets, ids, strict=True) if token == codec.newline] == ["\n", "\n"]
    assert codec.unknown_share(["They {had"]) > 0 == codec.unknown_share(["They had"])


def test_a_tokenizer_that_is_not_there_says_what_would_serve(tmp_path):
    with pytest.raises(ModelError, match="tokenizer.json"):
        load_codec(str(tmp_path / "none"), offline=True)
