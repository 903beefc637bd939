"""Text -> token ids and back: one vocabulary for every method, trained here or brought by a checkpoint.

>>> codec = train_codec(["32 + 42 = 74. "])
>>> codec.decode(codec.encode("32 + 42 = 74. "))
'32 + 42 = 74. '

Contexts are joined as token ids, never as text, in training and in generation alike (METHOD, section 4): so each
part is encoded alone and without end token, and generated ids are appended as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ases.errors import ModelError

PAD, END, EOC, NEWLINE, ES_MARK, AS_MARK = "<pad>", "</s>", "<eoc>", "<nl>", "<es>", "<as>"
ADDED = (EOC, NEWLINE, ES_MARK, AS_MARK)
VOCABULARY_SIZE = 1024
"""Upper bound of the vocabulary trained here: 256 bytes, digits, and the words of the training split."""


class Codec:
    """A tokenizer with the ids that the method needs: ``pad``, ``end``, ``eoc``, ``es`` and ``as_``.

    Tokenizers trained here give every text back exactly. Others (T5's, mT5's, BART's) do so up to their own
    normalisation; for those newline travels as the added token ``<nl>``.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, exact: bool) -> None:
        """Wrap a fast tokenizer; ``exact`` says that newlines need no token of their own."""
        if not tokenizer.is_fast:
            raise ModelError("the tokenizer is a slow one; a fast tokenizer (tokenizer.json) is needed for offsets")
        if tokenizer.eos_token_id is None or tokenizer.pad_token_id is None:
            raise ModelError("the tokenizer has no end or no padding token; sequence-to-sequence models need both")
        self.tokenizer, self.exact = tokenizer, exact
        self.pad, self.end = tokenizer.pad_token_id, tokenizer.eos_token_id
        self.eoc, self.newline, self.es, self.as_ = tokenizer.convert_tokens_to_ids(list(ADDED))
        self._marks = frozenset((self.pad, self.end, self.eoc, self.es, self.as_))
        # Text that happens to read "<eoc>" or "</s>" stays text: only this module places the marks, by id.
        tokenizer.split_special_tokens = True
        # Asked directly, which is ten times as fast for short texts as through the wrapper around it.
        self._backend = tokenizer.backend_tokenizer
        self._backend.encode_special_tokens = True
        self._backend.no_truncation()
        self._backend.no_padding()

    def __len__(self) -> int:
        return len(self.tokenizer)

    def encode(self, text: str) -> list[int]:
        """Token ids of the text alone, without any mark."""
        return self.encode_with_offsets(text)[0]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids, and for each the characters (from, to) of the text that it stands for."""
        if self.exact or "\n" not in text:
            encoded = self._backend.encode(text, add_special_tokens=False)
            return encoded.ids, encoded.offsets
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for number, line in enumerate(text.split("\n")):
            if number:
                ids.append(self.newline)
                offsets.append((start - 1, start))
            line_ids, line_offsets = self.encode_with_offsets(line)
            ids += line_ids
            offsets += [(a + start, b + start) for a, b in line_offsets]
            start += len(line) + 1
        return ids, offsets

    def decode(self, ids: Sequence[int]) -> str:
        """Text of the ids; marks are left out by id, ``<nl>`` becomes a newline."""
        kept = [token for token in ids if token not in self._marks]
        lines: list[list[int]] = [[]]
        for token in kept:
            if token == self.newline:
                lines.append([])
            else:
                lines[-1].append(token)
        return "\n".join(
            self.tokenizer.decode(line, skip_special_tokens=False, clean_up_tokenization_spaces=False) for line in lines
        )

    def unknown_share(self, texts: Iterable[str]) -> float:
        """Share of tokens that the vocabulary does not know and so cannot give back; 0 for those trained here."""
        unknown, total = 0, 0
        for text in texts:
            ids = self.encode(text)
            unknown += ids.count(self.tokenizer.unk_token_id) if self.tokenizer.unk_token_id is not None else 0
            total += len(ids)
        return unknown / total if total else 0.0

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files into the folder."""
        self.tokenizer.save_pretrained(str(folder))


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of token ids as one tensor of shape (rows, longest), filled up with ``pad``, and its mask: 1 for a token.

    >>> padded([[5, 6], [7]], pad=0)[1].tolist()
    [[1, 1], [1, 0]]
    """
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    ids = torch.full(mask.shape, pad)
    ids[mask] = torch.tensor([token for row in rows for token in row], dtype=torch.long)
    return ids, mask.long()


def train_codec(texts: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> Codec:
    """Train a byte-level BPE vocabulary on the training split's texts.

    Every digit is a token of its own, so numbers are composed and not memorised; bytes cover whatever was not
    seen in training, so every text round-trips. The same texts give the same vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[PAD, END, *ADDED],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return Codec(_fast(tokenizer), exact=True)


def load_codec(name_or_folder: str, *, offline: bool = False) -> Codec:
    """Load a tokenizer by hub name or folder and add the method's marks where they are missing.

    Raises ModelError where there is no tokenizer, saying which folder would serve.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            name_or_folder, use_fast=True, local_files_only=offline, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"no tokenizer could be loaded from {name_or_folder!r}: {str(error).splitlines()[0]} "
            "Give a folder that holds tokenizer.json and tokenizer_config.json, or a name your hub can reach."
        ) from error
    known = tokenizer.get_vocab()
    missing = [mark for mark in ADDED if mark not in known]
    exact = tokenizer.decode(tokenizer("a  b\n c", add_special_tokens=False)["input_ids"]) == "a  b\n c"
    if missing:
        tokenizer.add_tokens(missing, special_tokens=True)
    return Codec(tokenizer, exact=exact)


def _fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, clean_up_tokenization_spaces=False
    )
