"""`python -m offtake.cli`: the same as the `offtake` command."""

from offtake.cli.main import main

main()
