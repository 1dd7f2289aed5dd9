"""When one of these fails, smdebug or NumPy has changed, and a part of dogbreed/debugging/hooks.py may go."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest
import torch

from dogbreed.debugging.hooks import smdebug_pytorch
from tests.debugging.recorded_run import SMDEBUG_WARNING

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)


@pytest.fixture(scope="module")
def unmended() -> dict[str, ModuleType]:
    """Second copies of smdebug's own modules, which nobody has mended."""
    smdebug_pytorch()
    found = {}
    for name in ("smdebug.pytorch.hook", "smdebug.core.tfevent.util"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        found[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[name])
    return found


def test_smdebug_still_calls_what_numpy_has_removed(unmended: dict[str, ModuleType]) -> None:
    if hasattr(np.ndarray, "tostring"):
        pytest.skip("this NumPy still has it")
    with pytest.raises(AttributeError, match="tostring"):
        unmended["smdebug.core.tfevent.util"].make_tensor_proto(np.ones(3), "tag")


def test_smdebug_still_refuses_bfloat16(unmended: dict[str, ModuleType]) -> None:
    with pytest.raises(TypeError, match="BFloat16"):
        unmended["smdebug.pytorch.hook"].Hook._make_numpy_array(torch.ones(3, dtype=torch.bfloat16))


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.uint8, torch.bool]
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4, 5)])
def test_what_the_mended_functions_write_is_read_back_as_it_was(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    smd = smdebug_pytorch()
    import smdebug.core.writer
    from smdebug.core.tfevent.event_file_reader import get_tensor_data

    tensor = (torch.randn(shape) * 10).to(dtype)
    if tensor.ndim == 4:
        # The layout of convolutions here: not in the order in which it is written.
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    array = smd.Hook._make_numpy_array(tensor)
    read = get_tensor_data(smdebug.core.writer.make_tensor_proto(nparray_data=array, tag="tag"))
    assert read.shape == tensor.shape
    assert read.dtype == tensor.numpy().dtype
    assert (read == tensor.numpy()).all()


def test_bfloat16_is_read_back_as_the_same_numbers_in_float32() -> None:
    smd = smdebug_pytorch()
    tensor = torch.randn(100).bfloat16()
    array = smd.Hook._make_numpy_array(tensor)
    assert array.dtype == np.float32
    assert (torch.from_numpy(array).bfloat16() == tensor).all()
