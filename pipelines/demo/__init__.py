"""The demonstration: ordinary photographs with planted cases, and what has to become of each."""

from pipelines.demo.corpus import write_demo

__all__ = ["write_demo"]
