"""Every benchmark of this folder, one after the other, and one table (or one JSON list) of all figures."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from bench.figures import arguments, document, show, unmet

NOT_A_BENCHMARK = ("__init__", "__main__", "figures", "usage_data")


def main() -> int:
    """Run all; 1 where a goal was missed. A benchmark is a module with `measure(options) -> list[Figure]`."""
    options = arguments().parse_args()
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_A_BENCHMARK)
    documents, missed = [], 0
    for name in names:
        figures = import_module(f"bench.{name}").measure(options)
        missed |= unmet(figures)
        if options.format == "json":
            documents.append(document(name, figures))
        else:
            show(name, figures, "table")
    if documents:
        print(json.dumps(documents, indent=1))
    return missed


if __name__ == "__main__":
    sys.exit(main())
