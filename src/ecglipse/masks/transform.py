"""The short-time Fourier transform that masks over time and frequency multiply, as a part of the graph."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def spectrum(
    x: Float[Tensor, "batch lead time"], *, n_fft: int, hop: int
) -> Complex[Tensor, "batch lead bin frame"]:
    """Give the transform of each lead, by Hann windows of `n_fft` samples every `hop`; float16 as float32."""
    flat = x.flatten(0, 1)
    wide = flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat
    made: Tensor = torch.stft(
        wide, n_fft, hop, window=_window(n_fft, wide), return_complex=True, pad_mode="constant"
    )
    apart: Tensor = made.unflatten(0, x.shape[:2])
    return apart


def signal(
    made: Complex[Tensor, "batch lead bin frame"],
    like: Float[Tensor, "batch lead time"],
    *,
    n_fft: int,
    hop: int,
) -> Float[Tensor, "batch lead time"]:
    """Give what `spectrum` transformed, of the length and type of `like`; exact where nothing was changed."""
    flat = made.flatten(0, 1)
    back = torch.istft(flat, n_fft, hop, window=_window(n_fft, flat.real), length=like.shape[-1])
    given: Tensor = back.unflatten(0, like.shape[:2]).to(like.dtype)
    return given


def _window(n_fft: int, like: Tensor) -> Float[Tensor, " window"]:
    return torch.hann_window(n_fft, device=like.device, dtype=like.dtype)
