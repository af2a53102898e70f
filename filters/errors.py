"""Every error a user can meet.

ShardwallError
├── PolicyError   the policy file cannot be used as it stands
├── ListError     a hash list, blocklist or term list cannot be relied on
├── ModelError    weights or a plugged-in hash are missing, or are not what they should be
├── ShardError    a shard cannot be read or written
├── SealError     an output does not say what its manifest says
└── LabelError    a labelled set cannot be used, or supports no such statement

The first three are raised before the first shard is read. Each message says what cannot be, why, and what to do; none
quotes content, a list entry, a caption or a URL.
"""


class ShardwallError(Exception):
    """Something stands in the way of the run, told in one sentence that says what to do."""


class PolicyError(ShardwallError):
    """The policy file cannot be used as it stands."""


class ListError(ShardwallError):
    """A hash list, blocklist or term list cannot be relied on."""


class ModelError(ShardwallError):
    """Weights or a plugged-in hash are missing, or are not what they should be."""


class ShardError(ShardwallError):
    """A shard cannot be read or written."""


class SealError(ShardwallError):
    """An output does not say what its manifest says."""


class LabelError(ShardwallError):
    """A labelled set cannot be used, or supports no such statement."""


def error_of(kind: str, message: str) -> ShardwallError:
    """Return the error of the class that is called `kind`, as it was raised in another process or thread."""
    found = {each.__name__: each for each in (PolicyError, ListError, ModelError, ShardError, SealError, LabelError)}
    return found.get(kind, ShardwallError)(message)
