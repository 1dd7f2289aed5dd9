from __future__ import annotations

import pytest
import torch
from torch import nn

from dogbreed.errors import ConfigError
from dogbreed.models.heads import build_head


@pytest.mark.parametrize("hidden", [[], [8], [8, 4]])
def test_a_head_ends_in_logits_however_many_hidden_layers_it_has(hidden: list[int]) -> None:
    head = build_head(16, 5, hidden=hidden, dropout=0.5)
    logits = head(torch.randn(3, 16))
    assert logits.shape == (3, 5)
    assert isinstance(head[-1], nn.Linear)
    assert (logits < 0).any()


def test_a_head_has_a_linear_layer_a_relu_and_dropout_for_each_width() -> None:
    head = build_head(16, 5, hidden=[8, 4], dropout=0.25)
    assert [type(m) for m in head] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert {m.p for m in head if isinstance(m, nn.Dropout)} == {0.25}


def test_dropout_is_silent_in_evaluation() -> None:
    head, features = build_head(16, 5, hidden=[64], dropout=0.9).eval(), torch.randn(3, 16)
    assert torch.equal(head(features), head(features))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": [0]}, "model.hidden"),
        ({"dropout": 1.0}, "model.dropout"),
        ({"dropout": float("nan")}, "model.dropout"),
    ],
)
def test_a_value_out_of_range_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_head(16, 5, **settings)
