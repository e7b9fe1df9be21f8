"""The outside programs that show what people will see: Debian's chromium, LibreOffice Calc and poppler's pdftoppm.

None is a dependency. Where one is missing and this is a Debian machine's root, apt installs it; elsewhere whoever asks
is told what is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = {"chromium": "chromium", "soffice": "libreoffice-calc", "pdftoppm": "poppler-utils"}
"""Program → the Debian package that holds it."""
SECONDS_MAX = 180
WIDTHS = {"desktop": 1100, "narrow": 390}
HEIGHT_MAX = 9000
BROWSER = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def missing() -> list[str]:
    """The packages of the programs that are not there."""
    return [package for program, package in PROGRAMS.items() if shutil.which(program) is None]


def installed() -> bool:
    """Whether all are there, after apt was asked where it may be."""
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing()], check=False)
    return not missing()


def draw(page: Path, folder: Path) -> list[Path]:
    """The page as a browser shows it on a desk, on a phone, in the dark and on paper, as PNG files."""
    shots = [_shot(page, folder / f"{page.stem}-{name}.png", width) for name, width in WIDTHS.items()]
    dark = folder / f"{page.stem}-dark.html"
    dark.write_text(page.read_text().replace("color-scheme: light dark", "color-scheme: dark"))
    shots.append(_shot(dark, folder / f"{page.stem}-dark.png", WIDTHS["desktop"]))
    dark.unlink()
    paper = folder / f"{page.stem}.pdf"
    _run("chromium", *BROWSER, "--no-pdf-header-footer", f"--print-to-pdf={paper}", page.as_uri())
    return [*shots, *pages_of(paper)]


def _shot(page: Path, picture: Path, width: int) -> Path:
    _run("chromium", *BROWSER, f"--window-size={width},{HEIGHT_MAX}", f"--screenshot={picture}", page.as_uri())
    return picture


def pages_of(paper: Path) -> list[Path]:
    """Each page of a PDF as a PNG file."""
    _run("pdftoppm", "-r", "70", "-png", str(paper), str(paper.with_suffix("")) + "-print")
    return sorted(paper.parent.glob(f"{paper.stem}-print-*.png"))


def recalculated(workbook: Path, folder: Path, to: str = "xlsx") -> Path:
    """The workbook after LibreOffice has computed it, as another file of the same name in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "profile"
    _run(
        "soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", to, "--outdir",
        str(folder), str(workbook),
    )  # fmt: skip
    return folder / f"{workbook.stem}.{to}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
