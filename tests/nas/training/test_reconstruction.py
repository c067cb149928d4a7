from __future__ import annotations

import pytest
import torch

from nas.training.reconstruction import Decoder, reconstruction_loss
from nas.training.sparse import masks_of, visible_cells


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normalised(images: torch.Tensor, stride: int) -> torch.Tensor:
    """Each cell's pixels less their mean, divided by their standard deviation: cell by cell."""
    found = torch.empty_like(images)
    for row in range(0, images.shape[2], stride):
        for column in range(0, images.shape[3], stride):
            cell = images[:, :, row : row + stride, column : column + stride]
            mean = cell.mean(dim=(1, 2, 3), keepdim=True)
            deviation = (cell.var(dim=(1, 2, 3), keepdim=True, correction=0) + 1e-6).sqrt()
            found[:, :, row : row + stride, column : column + stride] = (cell - mean) / deviation
    return found


@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
def test_the_loss_is_of_normalised_pixels_of_hidden_cells(size) -> None:
    images, stride = torch.randn(3, 2, *size, generator=generator()) * 5 + 1, 4
    visible = visible_cells(3, (2, -(-size[1] // 4)), 0.5, generator())
    target = normalised(images, stride)
    assert float(reconstruction_loss(target, images, visible, stride)) == pytest.approx(0, abs=1e-9)
    shown = masks_of(visible, size, stride)[size]
    wrong_where_visible = target + 100 * shown
    assert float(reconstruction_loss(wrong_where_visible, images, visible, stride)) == pytest.approx(0, abs=1e-9)
    wrong_where_hidden = target + 3 * (1 - shown)
    assert float(reconstruction_loss(wrong_where_hidden, images, visible, stride)) == pytest.approx(9, rel=1e-4)
    brighter = reconstruction_loss(target, 7 * images + 100, visible, stride)
    assert float(brighter) == pytest.approx(0, abs=1e-5), "the target does not know brightness and contrast"


def maps_of(width: int, resolution: tuple[int, int]) -> dict[int, torch.Tensor]:
    sizes = {stride: [-(-side // stride) for side in resolution] for stride in (2, 4, 8)}
    return {stride: torch.randn(2, width * stride, *size, generator=generator()) for stride, size in sizes.items()}


@pytest.mark.parametrize("resolution", [(16, 16), (29, 18)])
def test_the_decoder_gives_images_for_networks_of_any_width(resolution) -> None:
    torch.manual_seed(0)
    decoder = Decoder({2: 12, 4: 24, 8: 48}, channels=3, width=16)
    cells = tuple(-(-side // 8) for side in resolution)
    masks = masks_of(visible_cells(2, cells, 0.6, generator()), resolution, 8)
    for width in (6, 3):
        maps = maps_of(width, resolution)
        assert decoder(maps, masks, resolution).shape == (2, 3, *resolution)
        hidden = {stride: each + (1 - masks[each.shape[2:]]) for stride, each in maps.items()}
        assert torch.allclose(decoder(hidden, masks, resolution), decoder(maps, masks, resolution), atol=1e-5)


def test_a_narrow_network_uses_the_leading_columns_of_the_projections() -> None:
    decoder = Decoder({2: 12, 4: 24, 8: 48}, channels=1, width=8)
    masks = masks_of(visible_cells(2, (2, 2), 0.5, generator()), (16, 16), 8)
    decoder(maps_of(3, (16, 16)), masks, (16, 16)).square().sum().backward()
    for stride in (2, 4, 8):
        gradient = decoder.projections[str(stride)].weight.grad
        assert bool(gradient[:, : 3 * stride].any())
        assert not gradient[:, 3 * stride :].any()
        assert bool(decoder.mask_tokens[str(stride)].grad.any())
