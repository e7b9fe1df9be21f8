"""The test-suite of OpenAI's own Python SDK, pointed at the gateway: what passes, and why each of the others cannot.

The suite is part of the SDK's source archive and is written for a mock of the whole API that knows every id. Here it
meets a gateway before the sandbox, without a line changed: the SDK that is tested is the one that is installed. A
failure whose reason is not in `REASONS` is a fault of ours, or of the sandbox, and fails the run.
docs/internals/openai-sdk-suite.md has the result.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.gateway.wire.running import House, environment

CHOSEN = (
    "chat", "responses", "test_batches.py", "test_completions.py", "test_embeddings.py", "test_files.py",
    "test_models.py", "test_responses.py",
)  # fmt: skip
NEEDS = ("pytest==9.2.0", "pytest-asyncio==1.5.0", "httpx-aiohttp==0.2.0", "aiohttp==3.14.5", "inline-snapshot==0.36.1")
"""What the suite imports beside the SDK; into a folder of its own."""
SECONDS_MAX = 600
REASONS: Mapping[str, str] = {
    r"No such (file|batch)": "files and batches are the gateway's own, and it has none of the suite's made-up ids",
    r"files of purpose '\w+' are not kept": "only files of batches are kept",
    r"nothing is served at \S+/(responses|chat/completions)/": "what OpenAI stores is not read through the gateway",
    r"/v1/chat/completions takes POST": "what OpenAI stores is not read through the gateway",
    r"nothing is served at \S+/completions": "the old completions, and stored ones, are not served",
    r"the field 'model' is missing": "a call without a model has no price; the suite's relies on a stored prompt",
    r"/v1/models/\S+ takes GET": "models are the contracts', and nobody deletes one",
    r"runs no response in the background": "the sandbox does not; the gateway passes it",
    r"Invalid 'max_tokens'": "the sandbox wants 1 at least; the gateway passes it",
    r"(?s)^test_embeddings.*invalid for expected schema": "the SDK asks for base64, and its strict mode wants numbers",
}
"""Words of a failure → why it is none of the gateway's."""


def run(folder: Path) -> int:
    """Run the suite and say what came of it; how many failures have no known reason."""
    version = importlib.metadata.version("openai")
    try:
        suite = _sources(folder / "openai", version)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        print(f"openai {version}: its test-suite cannot be had here, so it did not run ({type(error).__name__})")
        return 0
    report = folder / "openai" / "report.xml"
    home = folder / "suite"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    house = House(home, gateway_settings='keys = "none"').open()
    try:
        _pytest(suite, folder / "openai" / "packages", f"{house.gateway.url}/v1", report)
    finally:
        house.close()
    return _said(version, report)


def _sources(folder: Path, version: str) -> Path:
    """The SDK's source archive, unpacked, and what its tests need. CalledProcessError where pip cannot have them."""
    suite = folder / f"openai-{version}"
    if not (suite / "tests").exists():
        archive = ("download", "--no-deps", "--no-binary", "openai", "--dest", str(folder), f"openai=={version}")
        _pip(*archive)
        with tarfile.open(folder / f"openai-{version}.tar.gz") as packed:
            packed.extractall(folder, filter="data")
        (suite / "src").rename(suite / "src-unused")  # what is tested is what is installed
    if not (folder / "packages" / "pytest_asyncio").exists():
        _pip("install", "--target", str(folder / "packages"), *NEEDS)
    return suite


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", arguments[0], "--quiet", *arguments[1:]]
    subprocess.run(command, check=True, timeout=SECONDS_MAX, stderr=subprocess.DEVNULL)


def _pytest(suite: Path, packages: Path, url: str, report: Path) -> None:
    chosen = [f"tests/api_resources/{name}" for name in CHOSEN]
    options = ("-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", f"--junitxml={report}")
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *chosen], cwd=suite, timeout=SECONDS_MAX, check=False,
        stdout=subprocess.DEVNULL, env=environment() | {"TEST_API_BASE_URL": url, "PYTHONPATH": f"{packages}:{suite}"},
    )  # fmt: skip


def _said(version: str, report: Path) -> int:
    """Print the result by file and by reason; how many failures have none."""
    passed: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    why: Counter[str] = Counter()
    unknown = []
    for case in ET.parse(report).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            continue
        file = case.get("classname", "").removeprefix("tests.api_resources.").rpartition(".")[0]
        ran[file] += 1
        failure = next((found for name in ("failure", "error") if (found := case.find(name)) is not None), None)
        if failure is None:
            passed[file] += 1
            continue
        words = f"{file}\n{failure.get('message')}\n{failure.text}"
        reason = next((reason for pattern, reason in REASONS.items() if re.search(pattern, words)), "")
        why[reason] += 1
        if not reason:
            unknown.append(f"{file} {case.get('name')}: {failure.get('message', '')[:200]}")
    print(f"openai {version}: {passed.total()} of {ran.total()} tests of its own suite pass")
    for file in sorted(ran):
        print(f"  {file}: {passed[file]} of {ran[file]}")
    for reason, count in why.most_common():
        print(f"  {count} not: {reason or 'NOBODY KNOWS WHY'}")
    print("\n".join(unknown), end="\n" if unknown else "")
    return len(unknown) + (not ran)


if __name__ == "__main__":
    sys.exit(1 if run(Path(__file__).resolve().parents[2] / "build" / "clients") else 0)
