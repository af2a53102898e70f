import os

import pytest

from filters.errors import PolicyError
from pipelines.engine import beam_options, workers


def chosen(*arguments: str) -> tuple[str, str, int]:
    options = beam_options(arguments).get_all_options()
    return options["runner"], options["direct_running_mode"], options["direct_num_workers"]


def test_without_options_the_embedded_runner_is_named_with_a_thread_per_processor() -> None:
    assert chosen() == ("FnApiRunner", "in_memory", os.cpu_count())
    assert workers(beam_options([])) == os.cpu_count()


@pytest.mark.parametrize("arguments", [("--direct_num_workers=3",), ("--direct_num_workers", "3")])
def test_the_number_of_workers_may_be_given_in_both_spellings(arguments: tuple[str, ...]) -> None:
    assert chosen(*arguments) == ("FnApiRunner", "in_memory", 3)
    assert workers(beam_options(arguments)) == 3


def test_nought_workers_are_one_per_processor_as_beam_has_it() -> None:
    assert workers(beam_options(["--direct_num_workers=0"])) == os.cpu_count()


def test_the_way_of_running_may_be_given_alone() -> None:
    assert chosen("--direct_running_mode=multi_threading")[:2] == ("FnApiRunner", "multi_threading")


@pytest.mark.parametrize(
    "runner", ["FnApiRunner", "DirectRunner", "direct", "FlinkRunner", "SparkRunner", "PortableRunner"]
)
def test_a_runner_that_is_there_is_taken_as_it_is_called(runner: str) -> None:
    assert beam_options([f"--runner={runner}"]).get_all_options()["runner"] == runner


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--runer=FnApiRunner"], "--runner"),
        (["--direct_num_worker=2"], "--direct_num_workers"),
        (["--direct-num-workers=2"], "--direct_num_workers"),
        (["--zzzz=2"], "--zzzz: it has no such option"),
        (["--zzzz"], "--zzzz: it has no such option"),
        (["--runner=Fn"], "cannot run on Fn"),
        (["--runner=no.such.Runner"], "cannot run on no.such.Runner"),
        (["--runner=os.path.join"], "cannot run on os.path.join"),
        (["--direct_num_workers=many"], "invalid int value"),
        (["--direct_num_workers"], "expected one argument"),
        (["--direct_num_workers=-1"], "negative"),
        (["--direct_running_mode=fast"], "invalid choice"),
        (["--direct_num_workers=2", "stray"], "1 of its arguments"),
        (["--direct_num_workers", "2", "codeword", "stray"], "2 of its arguments"),
        (["stray", "--direct_num_workers=2"], "1 of its arguments"),
    ],
)
def test_what_beam_cannot_take_is_refused_in_one_line_with_what_is_nearest(arguments: list[str], words: str) -> None:
    with pytest.raises(PolicyError) as raised:
        beam_options(arguments)
    assert words in str(raised.value)
    assert "codeword" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_refusal_prints_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PolicyError):
        beam_options(["--direct_num_workers=many"])
    assert capfd.readouterr() == ("", "")
