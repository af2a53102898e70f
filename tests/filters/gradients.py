"""The hash that tests plug in: its package lies in tests/plugin, as an installed one would in site-packages."""

from pathlib import Path

from tests.plugin.gradients import Gradients

PLUGIN = Path(__file__).parent.parent / "plugin"
HASH = Gradients()
