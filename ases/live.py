"""A chain as it is written: one question, shown segment by segment, AS and ES coloured.

>>> chain = show_chain("q1", "Ann had 3. ...", writers, codec, "dual-path", settings)       # doctest: +SKIP

In a notebook one output is renewed with each segment; elsewhere each segment is printed as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from IPython import get_ipython
from IPython.display import HTML, display

from ases.chains import Chain
from ases.coloured import coloured
from ases.engines import Writer
from ases.errors import RunError
from ases.generation import stream_chains
from ases.settings import GenerationSettings
from ases.tokens import Codec


def show_chain(
    qid: str,
    question: str,
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
) -> Chain:
    """Write the chain of one question and show it as it grows; returns the finished chain.

    Segments of a dual-path are coloured by the model that wrote them, typed ones by their mark; those of a uni-path
    without types have no label and stay plain. Of samples that are voted on the first is shown as it grows, and the
    chosen one at the end.
    """
    show = _notebook_view(question) if _in_notebook() else _printed_view()
    show(Chain(qid, "", (), "", 0, 0, 0))
    chains = list(stream_chains([(qid, question)], writers, codec, method, settings, watch=show))
    if len(chains) != 1:
        raise RunError(f"{qid}: {len(chains)} chains came back for one question; please report this")
    show(chains[0])
    return chains[0]


def chain_html(question: str, chain: Chain) -> str:
    """The chain as HTML, bar by bar its segments; its title says whether it still grows, or why it ended."""
    pieces = [(text, label, None) for (_, text), label in zip(chain.segments, chain.labels, strict=True)]
    turns = f"{chain.rounds} turn{'' if chain.rounds == 1 else 's'}"
    state = f"ended: {chain.reason}" if chain.reason else "writing ..."
    drawn = f" for {chain.samples} samples" if chain.samples > 1 else ""
    title = f"{state} ({turns}, {chain.written_tokens} tokens written{drawn})"
    return coloured([{"qid": chain.qid, "question": question, "pieces": pieces}], title=title, unit="segment")


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
