"""A fine-tuned cell is known by what fine-tuning sees: the base augmentation and no extra view."""

from ecglipse.commands._evaluate import _tuned_on
from ecglipse.config import Views


def test_extra_views_are_of_pretraining_and_leave_fine_tuned_cells_as_they_are() -> None:
    plain = _tuned_on(Views())
    assert plain == Views().model_dump()
    assert _tuned_on(Views.model_validate({"extra": [{"name": "gain"}]})) == plain
    assert _tuned_on(Views.model_validate({"noise_mv": 0.123})) != plain
