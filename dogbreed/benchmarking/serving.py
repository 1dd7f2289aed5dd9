"""How long an answer takes: one photo, from the bytes of its file to the most probable breeds."""

from __future__ import annotations

from itertools import cycle
from tempfile import TemporaryDirectory

from dogbreed.artifacts import save_artifact
from dogbreed.benchmarking.machine_rates import MachineRates
from dogbreed.benchmarking.public_process import PublicProcess
from dogbreed.benchmarking.rounds import ROUNDS, in_turn, latencies
from dogbreed.benchmarking.setting import Setting
from dogbreed.benchmarking.stage import FLOOR, LATENCY, OURS, PUBLIC, Stage
from dogbreed.predictor import BreedPredictor

SERVING = "serving one photo"
# Each round takes its part of 50.
MOST = -(-50 // ROUNDS)


def serving(setting: Setting, public: PublicProcess, operations: int, rates: MachineRates, decoding: float) -> Stage:
    """Milliseconds from a file's bytes to the five most probable breeds.

    Args:
        setting: what is measured.
        public: asked for its side.
        operations: of the forward pass of one image.
        rates: of the machine.
        decoding: photos a second that one core decodes.
    """
    predictor = _predictor(setting)
    photos = cycle([path.read_bytes() for path in setting.photos.paths[:MOST]])
    sides = {OURS: latencies(lambda: predictor.predict(next(photos)), MOST), PUBLIC: public.side("serving")}
    floor = 1000 * (operations / rates.operations["float32"] + 1 / decoding)
    text = "decoding, and the operations of one image at the measured float32 rate of the machine"
    return Stage(SERVING, LATENCY, {**in_turn(sides, setting.seconds), FLOOR: (floor,)}, text)


def _predictor(setting: Setting) -> BreedPredictor:
    """As from a run: the model is stored and loaded."""
    module = setting.module
    with TemporaryDirectory(prefix="dogbreed-") as folder:
        save_artifact(folder, module.network, architecture=module.architecture, class_names=setting.data.class_names)
        return BreedPredictor.load(folder, setting.device)
