"""The answers of an ONNX file, by NumPy and ONNX Runtime alone: a program, for a process without torch.

    python onnx_answers.py FILE FOLDER

Reads FOLDER/images-*.npy, each a batch, and writes what comes out beside it as answers-*.npy.
"""

import sys
from pathlib import Path


def main(file: str, folder: str) -> None:
    """Answer each batch of the folder."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for path in Path(folder).glob("images-*.npy"):
        (answers,) = session.run(None, {"images": np.load(path, allow_pickle=False)})
        np.save(path.with_name(path.name.replace("images", "answers")), answers, allow_pickle=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
