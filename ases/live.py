"""A chain as it is written: one question, shown segment by segment, AS and ES coloured.

>>> chain = show_chain("q1", "Ann had 3. ...", writers, codec, "dual-path", settings)       # doctest: +SKIP

In a notebook one output is renewed with each segment; elsewhere each segment is printed as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from IPython import get_ipython
from IPython.display import HTML, display

from ases.chains import Chain
from ases.coloured import coloured
from ases.engines import Writer
from ases.errors import RunError
from ases.generation import stream_chains
from ases.labels import label_by_rule
from ases.novelty import novelty_scores
from ases.settings import DEFAULT_BETA, GenerationSettings
from ases.tokens import Codec

_BY_NOVELTY = (
    '<div style="color:#111;background:#fff;font:12px/1.6 sans-serif;max-width:54em;padding:0 8px 4px">coloured by '
    "novelty: the model gave no types, and abstractive is a segment with a larger share of words and numbers that are "
    "new against the question and the segments before it than the chain's segments have on average</div>"
)


def show_chain(
    qid: str,
    question: str,
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
) -> Chain:
    """Write the chain of one question and show it as it grows; returns the finished chain.

    Segments of a dual-path are coloured by the model that wrote them, typed ones by their mark, and those of a uni-path
    without types in a notebook by novelty (:func:`labels_shown`), which is said below them. Of samples that are voted
    on the first is shown as it grows, and the chosen one at the end.
    """
    show = _notebook_view(question) if _in_notebook() else _printed_view()
    show(Chain(qid, "", (), "", 0, 0, 0))
    chains = list(stream_chains([(qid, question)], writers, codec, method, settings, watch=show))
    if len(chains) != 1:
        raise RunError(f"{qid}: {len(chains)} chains came back for one question; please report this")
    show(chains[0])
    return chains[0]


def chain_html(question: str, chain: Chain) -> str:
    """The chain as HTML, bar by bar its segments; its title says whether it still grows, or why it ended.

    A line below says so where colours are not the model's own labels (:func:`labels_shown`).
    """
    labels = labels_shown(question, chain)
    pieces = [(text, label, None) for (_, text), label in zip(chain.segments, labels, strict=True)]
    turns = f"{chain.rounds} turn{'' if chain.rounds == 1 else 's'}"
    state = f"ended: {chain.reason}" if chain.reason else "writing ..."
    drawn = f" for {chain.samples} samples" if chain.samples > 1 else ""
    title = f"{state} ({turns}, {chain.written_tokens} tokens written{drawn})"
    shown = coloured([{"qid": chain.qid, "question": question, "pieces": pieces}], title=title, unit="segment")
    return shown if any(labels) == any(chain.labels) else shown + _BY_NOVELTY


def labels_shown(question: str, chain: Chain) -> Sequence[str | None]:
    """The labels by which a chain is coloured, one a segment: its own, and where it has none those of novelty.

    That is the strategy ``novelty`` with its default beta: AS where the share of content that is new against question
    and earlier segments exceeds the mean over the chain's segments. So while a chain grows a colour may change. A
    single segment, such as the whole chain of seq2seq, has no other to be held against and stays without a label.
    """
    if any(chain.labels) or len(chain.segments) < 2:
        return chain.labels
    scores = novelty_scores(question, [text for _, text in chain.segments])
    return label_by_rule(scores, DEFAULT_BETA["novelty"])


def _in_notebook() -> bool:
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _notebook_view(question: str) -> Callable[[Chain], None]:
    handle = None

    def show(chain: Chain) -> None:
        nonlocal handle
        html = HTML(chain_html(question, chain))
        if handle is None:
            handle = display(html, display_id=True)
        else:
            handle.update(html)

    return show


def _printed_view() -> Callable[[Chain], None]:
    seen: tuple[tuple[str, str], ...] = ()

    def show(chain: Chain) -> None:
        nonlocal seen
        if chain.segments[: len(seen)] != seen:
            print("chosen by vote:", flush=True)
            seen = ()
        for (model, text), label in list(zip(chain.segments, chain.labels, strict=True))[len(seen) :]:
            print(f"{label or model}: {text}", flush=True)
        seen = chain.segments

    return show
