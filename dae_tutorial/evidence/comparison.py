"""Numbers beside each other: a table in a notebook, lines of text in a terminal.

The pages of the site show with it what they compare. It needs the standard library
alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

Cell = str | float | tuple[float, float] | None
"""A text, a number, a pair of mean and deviation, or nothing."""

# Bold type is for the eye; what nobody sees says the same to a screen reader.
BEST = '<b style="position:relative">{}<span style="{}">, best</span></b>'
UNSEEN = "position:absolute;clip-path:inset(50%)"
RIGHT = ' style="text-align:right"'


@dataclass(frozen=True)
class Comparison:
    """A table of results, shown where it is the last line of a notebook's cell.

    A notebook shows it as HTML, with heads that a screen reader reads out beside each
    number. The best number of a column is bold there, and has a star in the text.
    Numbers that look alike are marked alike: a difference that the table does not
    show should not decide.

    Args:
        caption: says what the numbers are, and in which unit; no full stop.
        columns: head → format of the numbers below it, such as ".4f", ",d" or ".1%";
            "" stands for texts.
        rows: name → one cell for each column. A cell is a number, (mean, deviation),
            a text, or None, where there is nothing. A name of several parts is a tuple.
        names: the head above the names; a tuple, if they are tuples.
        best: head → `min` or `max`, for each column that has a best number.

    Raises:
        ValueError: if there are no rows or no columns, if a row has more or fewer cells
            than there are columns, if a name has more or fewer parts than `names`, or
            if `best` names no column.

    Examples:
        >>> Comparison(
        ...     "1000 × mean squared error, σ = 0.5",
        ...     {"error": ".1f", "parameters": ",d"},
        ...     {
        ...         "doing nothing": [116.2, None],
        ...         "autoencoder": [31.1, 209_968],
        ...         "denoising autoencoder": [16.8, 209_968],
        ...     },
        ...     best={"error": min},
        ... )
        1000 × mean squared error, σ = 0.5. *: best of its column.
                               error   parameters
        doing nothing          116.2
        autoencoder             31.1      209,968
        denoising autoencoder   16.8*     209,968
    """

    caption: str
    columns: Mapping[str, str]
    rows: Mapping[str | float | tuple, Sequence[Cell]]
    names: str | tuple[str, ...] = ""
    best: Mapping[str, Callable] = field(default_factory=dict)

    def __post_init__(self):
        if not self.rows or not self.columns:
            raise ValueError("rows and columns must not be empty")
        wanted = len(_parts(self.names)), len(self.columns)
        for name, cells in self.rows.items():
            if (len(_parts(name)), len(cells)) != wanted:
                raise ValueError(
                    f"rows must have names of {wanted[0]} parts, as `names` has, and "
                    f"{wanted[1]} cells, one a column, got {name!r}: {cells!r}"
                )
        if unknown := set(self.best) - set(self.columns):
            raise ValueError(f"best must name columns, got {', '.join(unknown)}")

    def __repr__(self) -> str:
        names = zip(_parts(self.names), *map(_parts, self.rows), strict=True)
        columns = [_justified(texts, str.ljust) for texts in names]
        for (head, form), cells in zip(
            self.columns.items(), self._cells(), strict=True
        ):
            mark = {True: "*", False: " " if head in self.best else ""}
            texts = [head + mark[False], *(text + mark[best] for text, best in cells)]
            columns.append(_justified(texts, str.rjust if form else str.ljust))
        lines = ("  ".join(line).rstrip() for line in zip(*columns, strict=True))
        return "\n".join([self._caption("*"), *lines])

    def _repr_html_(self) -> str:
        heads = [_head(name, "col") for name in _parts(self.names)]
        columns = []
        for (head, form), cells in zip(
            self.columns.items(), self._cells(), strict=True
        ):
            side = RIGHT if form else ""
            heads.append(_head(head, "col", side))
            texts = ((escape(text), is_best) for text, is_best in cells)
            marked = (BEST.format(t, UNSEEN) if is_best else t for t, is_best in texts)
            columns.append([f"<td{side}>{text}</td>" for text in marked])
        lines = [f"<table><caption>{escape(self._caption('Bold'))}</caption>"]
        lines.append(f"<thead><tr>{''.join(heads)}</tr></thead><tbody>")
        for name, cells in zip(self.rows, zip(*columns, strict=True), strict=True):
            heads = [_head(part, "row") for part in _parts(name)]
            lines.append(f"<tr>{''.join(heads)}{''.join(cells)}</tr>")
        return "\n".join([*lines, "</tbody></table>"])

    def _caption(self, mark: str) -> str:
        return f"{self.caption}." + f" {mark}: best of its column." * bool(self.best)

    def _cells(self) -> list[list[tuple[str, bool]]]:
        """Return for each column its cells' texts, and whether they are the best."""
        columns = zip(*self.rows.values(), strict=True)
        return [
            _compared(cells, form, self.best.get(head))
            for (head, form), cells in zip(self.columns.items(), columns, strict=True)
        ]


def _compared(
    cells: Sequence[Cell], form: str, better: Callable | None
) -> list[tuple[str, bool]]:
    means = [cell[0] if isinstance(cell, tuple) else cell for cell in cells]
    numbers = [mean for mean in means if not isinstance(mean, str | None)]
    best = format(better(numbers), form) if better and numbers else None
    looks = [_text(mean, form) == best for mean in means]
    return list(zip((_text(cell, form) for cell in cells), looks, strict=True))


def _text(cell: Cell, form: str) -> str:
    if isinstance(cell, tuple):
        return "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}".join(
            format(n, form) for n in cell
        )
    return (cell or "") if isinstance(cell, str | None) else format(cell, form)


def _parts(name: str | float | tuple) -> tuple[str, ...]:
    return tuple(map(str, name if isinstance(name, tuple) else (name,)))


def _head(text: str, scope: str, style: str = "") -> str:
    """Return a head; an empty one would be read out, so it is none."""
    head = f'<th scope="{scope}"{style}>{escape(text)}</th>'
    return head if text else "<td></td>"


def _justified(texts: Sequence[str], justify: Callable) -> list[str]:
    return [justify(text, max(map(len, texts))) for text in texts]
