"""What our HTML pages share: the frame that makes one file of a page and its styles, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

WIDE, NARROW = 960, 390
"""Each picture is drawn twice, with these many units across; the styles show the one that fits."""
STYLES = ("report.css", "page.css")
COLUMNS_NARROW, ROWS_TOGETHER = 3, 10


def page(title: str, body: str, styles: Sequence[str] = ()) -> str:
    """A page as HTML text that needs no other file; `styles` are files of this room, after those of every page."""
    folder = files("offtake.export")
    css = "".join(folder.joinpath(name).read_text("utf-8") for name in (*STYLES, *styles))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """A table whose last `numbers` columns are numbers. Cells are HTML already.

    On a narrow screen a table of many columns, or of words, becomes a block a row, each cell beside the name of its
    column; on paper a short one is not torn apart.
    """
    first = len(columns) - numbers
    kinds = ["n" if index >= first else "" for index in range(len(columns))]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{escape(column)}</th>' for column, kind in zip(columns, kinds, strict=True)
    )
    lines = []
    for row in rows:
        named = list(zip(columns, kinds, row, strict=True))[1:]
        cells = "".join(f'<td{_class(kind)} data-label="{escape(column)}">{cell}</td>' for column, kind, cell in named)
        lines.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    looks = "plain" + (" stacked" if len(columns) > COLUMNS_NARROW or numbers < len(columns) - 1 else "")
    looks += " together" if len(lines) <= ROWS_TOGETHER else ""
    body = "\n".join(lines)
    return (
        f'<div class="scroll"><table class="{looks}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
