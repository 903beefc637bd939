"""Chains -> numbers: answer accuracy, BLEU, ROUGE, agreement of labels, arithmetic of single steps.

>>> is_correct("They had 32 + 42 = 74, and ate 35. The answer is $1,039.00.", "1039")
True

METHOD, section 7. Numbers are compared as exact fractions, never as strings. In every function the chains that a
model wrote come first and the references second; an empty chain scores 0 and is never an error.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer, Tokenizer
from sacrebleu.metrics import BLEU

from ases.arithmetic import equations, extract_answer, parse_number, same_number
from ases.errors import DataError, ParameterError
from ases.examples import AS, ES


def is_correct(chain: str, answer: str) -> bool:
    """Whether the chain's answer equals the reference answer as a number (METHOD, section 7).

    A chain without any number is wrong. Raises DataError where the reference answer is not a number.
    """
    reference = parse_number(answer)
    if reference is None:
        raise DataError(f"the reference answer {answer!r} is not a number; accuracy needs numeric answers")
    given = extract_answer(chain)
    return given is not None and same_number(given, reference)


def equation_share(chain: str) -> float:
    """Share of a chain's checkable equations that are right, 0 to 1; NaN where it has none. See :func:`equations`."""
    checks = [right for _, right in equations(chain)]
    return _ratio(sum(checks), len(checks))


# BLEU and ROUGE -------------------------------------------------------------------------------------------------


class _ChineseTokenizer(Tokenizer):
    """Characters, with numbers and Latin words whole and lower-cased; punctuation dropped, as for English."""

    _TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|[a-z]+|[^\W\d_]")

    def tokenize(self, text: str) -> list[str]:
        return self._TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


_BLEU_TOKENIZER = {"en": "13a", "zh": "zh"}
ROUGE = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
"""Our column names, and what rouge-score calls them."""


def bleu(chains: Sequence[str], references: Sequence[str], language: str = "en") -> float:
    """Corpus BLEU of the chains against one reference each, 0 to 100 (sacrebleu; ``zh`` splits characters).

    Not symmetric: the chains come first. Raises DataError for no chains or unequal numbers, ParameterError for
    an unknown language.
    """
    metric = _bleu_metric(chains, references, language)
    return metric.corpus_score(list(chains), [list(references)]).score


def bleu_signature(language: str = "en") -> str:
    """sacrebleu's signature of :func:`bleu`, to be printed beside its scores."""
    metric = _bleu_metric([""], [""], language)
    metric.corpus_score([""], [[""]])
    return str(metric.get_signature())


def sentence_bleu(chains: Sequence[str], references: Sequence[str], language: str = "en") -> np.ndarray:
    """Sentence BLEU of each chain, 0 to 100, shape (chains,): exponential smoothing, effective order (sacrebleu)."""
    metric = _bleu_metric(chains, references, language, effective_order=True)
    scores = [
        metric.sentence_score(chain, [reference]).score for chain, reference in zip(chains, references, strict=True)
    ]
    return np.array(scores)


def bleu_statistics(chains: Sequence[str], references: Sequence[str], language: str = "en") -> np.ndarray:
    """What corpus BLEU is computed from, one row a chain, shape (chains, 10), integers.

    Columns: chain tokens, reference tokens, matching 1- to 4-grams, 1- to 4-grams of the chain. Rows add up, so a
    bootstrap can resample them without tokenising again; see :func:`bleu_from_statistics`.
    """
    metric = _bleu_metric(chains, references, language, effective_order=True)
    rows = []
    for chain, reference in zip(chains, references, strict=True):
        score = metric.sentence_score(chain, [reference])
        rows.append([score.sys_len, score.ref_len, *score.counts, *score.totals])
    return np.array(rows, dtype=np.int64)


def bleu_from_statistics(totals: np.ndarray) -> float:
    """Corpus BLEU, 0 to 100, of summed rows of :func:`bleu_statistics`, shape (10,); the same as :func:`bleu`."""
    lengths, counts, grams = np.split(np.asarray(totals), [2, 6])
    return BLEU.compute_bleu(counts.tolist(), grams.tolist(), *map(int, lengths), smooth_method="exp").score


def rouge(chains: Sequence[str], references: Sequence[str], language: str = "en") -> pd.DataFrame:
    """ROUGE-1, -2 and -L F1 of each chain, 0 to 1: columns ``rouge_1``, ``rouge_2``, ``rouge_l``, one row a chain.

    English: rouge-score's own tokenizer without stemming (lower case, letters and digits only, so operators do not
    count). Chinese: characters, numbers and Latin words whole, because that tokenizer gives 0 there (METHOD,
    section 7). Raises as :func:`bleu` does.
    """
    _check_pairs(chains, references, language)
    scorer = RougeScorer(list(ROUGE.values()), tokenizer=rouge_tokenizer(language))
    rows = []
    for chain, reference in zip(chains, references, strict=True):
        scores = scorer.score(target=reference, prediction=chain)
        rows.append({name: float(scores[theirs].fmeasure) for name, theirs in ROUGE.items()})
    return pd.DataFrame(rows, columns=list(ROUGE))


def rouge_tokenizer(language: str = "en") -> Tokenizer:
    """How ROUGE takes a text apart in each language: see :func:`rouge`. ParameterError for an unknown language."""
    if language not in _BLEU_TOKENIZER:
        raise ParameterError(f"language is {language!r}, but must be one of {', '.join(_BLEU_TOKENIZER)}")
    return _ChineseTokenizer() if language == "zh" else DefaultTokenizer(use_stemmer=False)


def _bleu_metric(chains: Sequence[str], references: Sequence[str], language: str, **options: bool) -> BLEU:
    _check_pairs(chains, references, language)
    # `force` silences a warning about texts that end in " .", as some of the collected questions do.
    return BLEU(tokenize=_BLEU_TOKENIZER[language], smooth_method="exp", force=True, **options)


def _check_pairs(chains: Sequence[str], references: Sequence[str], language: str) -> None:
    if language not in _BLEU_TOKENIZER:
        raise ParameterError(f"language is {language!r}, but BLEU and ROUGE know {', '.join(_BLEU_TOKENIZER)} only")
    if len(chains) != len(references):
        raise DataError(f"{len(chains)} chains but {len(references)} references; each chain needs its own reference")
    if len(chains) == 0:
        raise DataError("no chains to score; generate some first")
    for name, texts in (("chain", chains), ("reference", references)):
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(f"{name} {position} is {text!r}, which is no text; an empty one is ''")


# Labels ---------------------------------------------------------------------------------------------------------


def label_agreement(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> dict[str, float]:
    """Precision, recall and F1 of the label AS against gold, over the pieces of all examples (METHOD, section 7).

    >>> label_agreement([["ES", "AS", "AS"]], [["ES", "AS", "ES"]])["precision"]
    0.5

    Also counts: ``true_as``, ``false_as``, ``false_es``, ``true_es``, ``pieces``, ``examples``. NaN where undefined
    (precision with nothing labelled AS, recall with no AS in gold, F1 with neither). Raises DataError, naming the
    position, where an example has other numbers of labels than gold, or a label is neither ES nor AS.
    """
    if len(predicted) != len(gold):
        raise DataError(f"labels of {len(predicted)} examples, but gold labels of {len(gold)}")
    table = {(left, right): 0 for left in (AS, ES) for right in (AS, ES)}
    for position, (labels, truth) in enumerate(zip(predicted, gold, strict=True)):
        if len(labels) != len(truth):
            raise DataError(f"example {position} has {len(labels)} labels but {len(truth)} gold labels")
        for piece, pair in enumerate(zip(labels, truth, strict=True)):
            if pair not in table:
                raise DataError(f"example {position}, piece {piece}: labels {pair} must each be {ES} or {AS}")
            table[pair] += 1
    hits, false_as, false_es = table[AS, AS], table[AS, ES], table[ES, AS]
    return {
        "precision": _ratio(hits, hits + false_as),
        "recall": _ratio(hits, hits + false_es),
        "f1": _ratio(2 * hits, 2 * hits + false_as + false_es),
        "true_as": hits,
        "false_as": false_as,
        "false_es": false_es,
        "true_es": table[ES, ES],
        "pieces": sum(table.values()),
        "examples": len(gold),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
