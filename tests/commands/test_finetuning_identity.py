"""A fine-tuned cell is known by what fine-tuning sees and is set to, and by nothing that has no effect."""

from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands import _encoders
from ecglipse.commands._identity import tuned_by
from ecglipse.config import Config, Transfer, Views, check
from ecglipse.errors import ConfigError
from ecglipse.results import cell_id
from ecglipse.store import Store


def test_extra_views_are_of_pretraining_and_leave_fine_tuned_cells_as_they_are() -> None:
    plain = Views().of_finetuning()
    assert cell_id(settings=plain) == "7aa85414d8200899"  # of the commit before 3KG had keys
    for extra in ("gain", "emg", "fourier"):
        assert Views.model_validate({"extra": [{"name": extra}]}).of_finetuning() == plain
    assert Views(threekg_scale=1.2).of_finetuning() == plain
    assert Views(noise_mv=0.123).of_finetuning() != plain


def test_a_runs_id_says_of_3kg_what_is_not_the_default_and_of_views_that_they_were_mended() -> None:
    def ident(*, turned: bool = True, **given: Any) -> str:
        return cell_id(views=Views.model_validate(given).of_pretraining(turned=turned))

    plain = "61d26c385446ec45"  # of the commit before 3KG had keys
    assert ident() == ident(turned=False) == ident(turned=False, threekg_scale=1.2) == plain
    changed = ({"threekg_scale": 1.2}, {"threekg_angle_deg": 30.0}, {"threekg_masked": 0.25})
    assert len({plain, *(ident(**given) for given in changed)}) == 4
    for name in ("emg", "fourier"):
        assert Views.model_validate({"extra": [{"name": name}]}).of_pretraining(turned=False)["mended"] == [
            name
        ]
    assert Views(emg_mv=0.1).of_pretraining(turned=False)["mended"] == ["emg"]
    assert Views(emg_mv=0.1).of_finetuning()["mended"] == ["emg"]
    still = Views.model_validate({"extra": [{"name": "emg", "swell_s": 0.0}, {"name": "wander"}]})
    assert "mended" not in still.of_pretraining(turned=False)


def test_how_stages_move_counts_only_where_it_has_an_effect() -> None:
    plain = tuned_by(Transfer(), scratch=False)
    assert "finetune_rate_decay" not in plain
    assert "finetune_unfrozen" not in plain
    assert cell_id(settings=plain) == "1fdebfc858801c29"  # of the commit before these settings

    def ident(*, scratch: bool = False, **given: float) -> str:
        return cell_id(settings=tuned_by(Transfer.model_validate(given), scratch=scratch))

    same = cell_id(settings=plain)
    decayed, one = ident(finetune_rate_decay=0.5), ident(finetune_unfrozen=1)
    assert len({same, decayed, one, ident(finetune_unfrozen=0), ident(finetune_unfrozen=2)}) == 5
    assert ident(finetune_unfrozen=1, finetune_rate_decay=0.5) == one
    assert ident(finetune_unfrozen=2, finetune_rate_decay=0.5) != ident(finetune_unfrozen=2)
    assert ident(scratch=True, finetune_unfrozen=1, finetune_rate_decay=0.5) == same
    assert ident(scratch=True, finetune_encoder_scale=0.5) != same


def test_from_scratch_everything_moves_and_the_budget_is_the_same() -> None:
    rule = Transfer(finetune_rate_decay=0.5, finetune_unfrozen=2)
    pretrained, scratch = (_encoders.finetuning_pace(rule, scratch=x) for x in (False, True))
    assert pretrained == {"encoder_scale": 0.3, "rate_decay": 0.5, "unfrozen": 2}
    assert scratch == {"encoder_scale": 1.0, "rate_decay": 1.0, "unfrozen": None}


def test_more_stages_than_there_are_is_refused_before_anything_is_trained(simulated: Path) -> None:
    def made(unfrozen: int) -> Config:
        content = {"name": "x", "store": "x", "out": "x", "methods": {"a": {}}}
        return check(content | {"transfer": {"finetune_unfrozen": unfrozen}}, where="x")

    _encoders.encoder(made(5), Store.open(simulated), seed=0)
    with pytest.raises(ConfigError, match=r"transfer.finetune_unfrozen: 6 of the 6 stages of resnet18"):
        _encoders.encoder(made(6), Store.open(simulated), seed=0)
