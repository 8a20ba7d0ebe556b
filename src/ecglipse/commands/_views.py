"""From the words of a config to what makes the two views of a method, and what fine-tuning sees."""

from typing import Any, Literal

from torch import Tensor

from ecglipse.config import Config, Method
from ecglipse.draws import Draws
from ecglipse.errors import ConfigError
from ecglipse.store import Store
from ecglipse.views.base import BaseViews
from ecglipse.views.lead_drop import lead_drop
from ecglipse.views.parts import Planned
from ecglipse.views.settings import AnyView
from ecglipse.views.threekg import threekg, threekg_projection, time_mask
from ecglipse.views.view import Augmentation, Pipeline, View, make


def base_views(config: Config, store: Store) -> BaseViews:
    """The base augmentation: the same for all methods of a study."""
    rule = config.views
    return BaseViews(
        sigma_mv=rule.noise_mv,
        wander_mv=rule.wander_mv,
        powerline_mv=rule.powerline_mv,
        emg_mv=rule.emg_mv,
        gain=rule.gain,
        fs=store.fs,
        names=store.leads,
    )


_SPATIAL: dict[str, Planned[...] | None] = {
    "base": None,
    "3kg": threekg,
    "3kg-projection": threekg_projection,
}


def view(config: Config, method: Method, *, store: Store, side: Literal["first", "second"]) -> Augmentation:
    """What makes one of the two views of a method: base augmentation, 3KG, then what is listed as extra."""
    base, spatial = base_views(config, store), _SPATIAL[method.views]
    turn, masked = _turn(config, store), config.views.threekg_masked
    extra = extra_views(config, store, side=side)

    def made(x: Tensor, draws: Draws) -> Tensor:
        x = base(x, draws)
        if spatial is not None:
            turned = spatial(x, draws.child("3kg"), **turn)
            x = time_mask(turned, draws.child("time mask"), share=masked)
        return extra(x, draws.child("extra"))

    return _dropping_leads(config, made)


def extra_views(config: Config, store: Store, *, side: Literal["first", "second"]) -> Pipeline:
    """The views that the config lists for this side."""
    kinds = [kind for kind in config.views.extra if kind.sides in ("both", side)]
    return Pipeline([_extra_view(kind, store) for kind in kinds])


def _extra_view(kind: AnyView, store: Store) -> View:
    return make(fs=store.fs, names=store.leads, **kind.model_dump(exclude={"sides"}))


def finetuning_view(config: Config, store: Store) -> Augmentation:
    """What fine-tuning sees: the base augmentation, and fewer leads where pretraining saw fewer."""
    return _dropping_leads(config, base_views(config, store))


def see_views(config: Config, store: Store) -> None:
    """See that the views of all methods can be made of the store's leads, rate and length.

    Raises:
        ConfigError: naming the method and the first of its views that cannot.
    """
    draws, shape = Draws.of(0, "check", rows=[0]), (1, len(store.leads), store.n_samples)
    for name, method in config.methods.items():
        own = config.of(name)
        where, hint = "views", "set its strength in `[views]` to 0"
        try:
            base_views(own, store).plan(draws, shape)
            spatial = _SPATIAL[method.views]
            if spatial is not None:
                where, hint = f'views = "{method.views}"', "choose others"
                spatial.plan(draws, shape, **_turn(own, store))
            for place, kind in enumerate(own.views.extra if method.kind == "pretrained" else ()):
                where, hint = f"views.extra.{place} ({kind.name})", "change its values or leave it out"
                _extra_view(kind, store).plan(draws, shape)
        except ValueError as error:
            raise ConfigError(
                f"methods.{name}: {where}: {error}",
                hint=f"{hint}, or prepare a store with other `--leads`, `--fs` or `--duration-s`",
            ) from None


def _turn(config: Config, store: Store) -> dict[str, Any]:
    """What 3KG is told."""
    rule = config.views
    return {"angle_deg": rule.threekg_angle_deg, "scale": rule.threekg_scale, "names": store.leads}


def _dropping_leads(config: Config, before: Augmentation) -> Augmentation:
    """A view that loses leads after all else, where the config asks for it."""
    share = config.encoder.lead_drop
    if not share:
        return before
    return lambda x, draws: lead_drop(before(x, draws), draws.child("lead drop"), share=share)
