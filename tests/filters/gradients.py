"""The hash that tests plug in: its package lies in tests/plugin, as an installed one would in site-packages."""

import sys
from pathlib import Path

from tests.plugin.gradients import Gradients

PLUGIN = Path(__file__).parent.parent / "plugin"
HASH = Gradients()


def plug_in_gradients() -> None:
    """Install the package for this process."""
    if str(PLUGIN) not in sys.path:
        sys.path.append(str(PLUGIN))
