"""What our HTML pages share: the frame that makes one file of a page and its styles, and a plain table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files


def page(title: str, body: str, styles: Sequence[str] = ()) -> str:
    """A page as HTML text that needs no other file; `styles` are files of this room, after those of every report."""
    folder = files("offtake.export")
    css = "".join(folder.joinpath(name).read_text("utf-8") for name in ("report.css", *styles))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """A table whose last `numbers` columns are numbers. Cells are HTML already."""
    first, number = len(columns) - numbers, ' class="n"'
    head = "".join(
        f'<th scope="col"{number if index >= first else ""}>{column}</th>' for index, column in enumerate(columns)
    )
    lines = []
    for row in rows:
        cells = "".join(f"<td{number if index >= first else ''}>{cell}</td>" for index, cell in enumerate(row[1:], 1))
        lines.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    body = "\n".join(lines)
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
