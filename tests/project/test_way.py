"""The way of one limit through the code stays as short as it is."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.project.command import ROOT

MODULES, FUNCTIONS, OF_A_REQUEST = 40, 280, 9
"""What a plan of one `max: 5` may pass at most. Lower them when the way gets shorter."""


def test_the_way_of_one_limit_gets_no_longer() -> None:
    """A plan of one `max: 5`, counted on every thread, and one request on its way to the socket."""
    counted = subprocess.run(
        [sys.executable, "-m", "tests.project.way"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    total = re.search(r"^(\d+) modules, (\d+) functions$", counted.stdout, re.MULTILINE)
    request = re.search(r"^one request: (\d+) modules", counted.stdout, re.MULTILINE)
    assert total is not None
    assert request is not None
    modules, functions, of_a_request = int(total[1]), int(total[2]), int(request[1])
    assert modules <= MODULES, counted.stdout
    assert functions <= FUNCTIONS, counted.stdout
    assert of_a_request <= OF_A_REQUEST, counted.stdout
