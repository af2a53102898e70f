import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.corpora import write_policy
from tests.tables import coyo, datacomp, laion, write
from tests.test_laws import command, same_identity
from tests.tree import digests

KILLS = 4


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and, in `out`, what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for number, make in enumerate((laion, coyo, datacomp)):
        write(folder / "in" / f"{number:05d}.parquet", make(130, number), rows=60)
    write_policy(folder / "policy")
    subprocess.run(command(folder, folder / "out"), check=True, capture_output=True)
    return folder


def test_killed_anywhere_and_started_again_the_output_is_that_of_an_undisturbed_run(
    undisturbed: Path, tmp_path: Path
) -> None:
    chance = random.Random(4)
    same_identity(undisturbed / "out", tmp_path / "out")
    for _ in range(KILLS):
        words = command(undisturbed, tmp_path / "out")
        started = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(1.0, 5.0))
        started.send_signal(signal.SIGKILL)
        started.wait()
    subprocess.run(command(undisturbed, tmp_path / "out"), check=True, capture_output=True)
    assert digests(tmp_path / "out") == digests(undisturbed / "out")
