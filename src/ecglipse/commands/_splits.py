"""The splits of a config's study, and the seed of each."""

from ecglipse.config import Config
from ecglipse.errors import ConfigError
from ecglipse.seeding import derive
from ecglipse.splits import Split, by_folds, by_patient, everything, rotations
from ecglipse.store import Store


def splits(config: Config, store: Store) -> list[Split]:
    """The splits of a study: one, or one a rotation."""
    rule = config.split
    if rule.kind == "rotations":
        return rotations(store.table)
    if rule.kind == "all":
        return [everything(store.table)]
    if rule.kind == "patients":
        return [by_patient(store.table, seed=0, validation=rule.validation_share, test=rule.test_share)]
    return [by_folds(store.table, train=rule.train, validation=rule.validation, test=rule.test)]


def studied(config: Config, store: Store) -> tuple[int, ...]:
    """Which of the splits are studied.

    Raises:
        ConfigError: if one is not there.
    """
    there = range(len(splits(config, store)))
    if config.split.kind != "rotations":
        return tuple(there)
    missing = [r for r in config.split.rotations if r not in there]
    if missing:
        raise ConfigError(
            f"split.rotations: {missing} not there; they are counted from 0 to {len(there) - 1}"
        )
    return config.split.rotations


def seed_of(split: Split, *, seed: int) -> int:
    """The seed of everything drawn in a split: of its own, so that one seed's rotations are independent."""
    return derive(seed, "split", split.digest)
