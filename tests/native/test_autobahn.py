"""The Autobahn test suite, without the cases that take minutes: `make compliance`."""

import pytest

from tools.autobahn import (
    SLOW,
    bare_echo,
    decide_retry,
    echo,
    ensure_suite,
    failures,
    fuzzing_server,
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
    async with fuzzing_server(tmp_path, SLOW) as url:
        ours = await decide_retry(url, "ws", echo, tmp_path)
        bare = await decide_retry(url, "websockets", bare_echo, tmp_path)
    assert len(ours) == len(bare) == 247
    excused = failures(bare)
    worse = {name: word for name, word in failures(ours).items() if name not in excused}
    assert worse == {}
