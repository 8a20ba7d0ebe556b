"""The CLOCS network on short records: as it was on long ones, between zeros on others."""

import torch
from torch.nn import functional

from ecglipse.models.clocs import clocs_cnn


def test_short_records_stand_between_zeros_and_long_ones_as_they_are() -> None:
    net = clocs_cnn(width=8, dim=6, generator=torch.Generator().manual_seed(0)).eval()
    x = torch.randn(3, 12, 400, generator=torch.Generator().manual_seed(1))
    short = x[..., :250]
    assert torch.equal(net(short), net(functional.pad(short, (69, 69))))
    assert not torch.allclose(net(short)[0], net(short)[1])
    for time in (388, 400):  # by hand, without the zeros
        y = net.stages(x[..., :time].unsqueeze(2)).squeeze(2)
        by_hand = net.features(functional.adaptive_avg_pool1d(y, net.frames).flatten(1))
        torch.testing.assert_close(net(x[..., :time]), by_hand)
