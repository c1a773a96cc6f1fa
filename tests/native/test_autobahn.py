"""The Autobahn test suite, without the cases that take minutes: `make compliance`."""

import pytest

from tools.autobahn import (
    SLOW_CASES,
    echo,
    echo_with_websockets,
    ensure_suite,
    fuzzing_server,
    run_cases,
    select_failures,
)
from tools.common import ToolError


@pytest.fixture(scope="module")
def suite():
    """The test suite, if it can be installed on this machine."""
    try:
        ensure_suite()
    except ToolError as error:
        pytest.skip(str(error))


@pytest.mark.timeout(300)
async def test_autobahn(suite, tmp_path):
    """No case fails that passes with bare websockets."""
    async with fuzzing_server(tmp_path, SLOW_CASES) as url:
        ours = await run_cases(url, "ws", echo, tmp_path)
        bare = await run_cases(url, "websockets", echo_with_websockets, tmp_path)
    assert len(ours) == len(bare) == 247
    excused = select_failures(bare)
    failed = select_failures(ours)
    worse = {name: result for name, result in failed.items() if name not in excused}
    assert worse == {}
