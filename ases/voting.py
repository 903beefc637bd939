"""Votes: of several samples the one that most agree on, for a whole chain or for one segment.

>>> majority_answer([first, second, third]).text                                   # doctest: +SKIP
'3 + 4 = 7. The answer is 7.'

Voting over chains is self-consistency (Wang et al., ICLR 2023); voting over segments is ours. All samples are paid
for: their tokens and FLOPs are in the chain that wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ases.arithmetic import extract_answer
from ases.chains import Chain
from ases.engines import Written
from ases.errors import DataError
from ases.tokens import Codec


def majority_answer(chains: Sequence[Chain]) -> Chain:
    """Of the sampled chains of one question the first that gives the most frequent answer.

    Answers are numbers (:func:`ases.arithmetic.extract_answer`): 7, 7.0 and $7 agree. Chains without a number have
    no vote unless none has one. On a tie the answer that was sampled first wins. Raises DataError without chains,
    and for chains of several questions.
    """
    if not chains or len({chain.qid for chain in chains}) != 1:
        raise DataError("a vote needs the chains of one question")
    answers = [extract_answer(chain.text) for chain in chains]
    votes = Counter(answer for answer in answers if answer is not None) or Counter(answers)
    winner, count = votes.most_common(1)[0]  # in the order of first appearance on a tie
    return replace(
        chains[answers.index(winner)],
        read_tokens=sum(chain.read_tokens for chain in chains),
        written_tokens=sum(chain.written_tokens for chain in chains),
        flops=sum(chain.flops for chain in chains),
        samples=len(chains),
        agreement=count / len(chains),
    )


def majority_text(texts: Sequence[Written], codec: Codec) -> tuple[Written, float]:
    """Of the samples of one segment the most frequent, and the share of the samples that it had.

    Samples agree when they read the same and end alike (end of segment, end of chain, cut). On a tie the text that
    has the likelier sample wins, then the one sampled first. Raises DataError without samples.
    """
    if not texts:
        raise DataError("a vote needs samples")
    groups: dict[tuple[str, bool, bool], list[Written]] = {}
    for text in texts:
        groups.setdefault((codec.decode(text.ids), codec.eoc in text.ids, text.finished), []).append(text)
    # max takes the first of equals
    group = max(groups.values(), key=lambda one: (len(one), max(text.score for text in one)))
    return max(group, key=lambda text: text.score), len(group) / len(texts)
