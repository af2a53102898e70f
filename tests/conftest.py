"""Settings for every test: how long a drawn example takes depends on the machine, and is no fault."""

from hypothesis import HealthCheck, settings

settings.register_profile("shardwall", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shardwall")
