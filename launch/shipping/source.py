"""What a job runs: the project's source and configuration, and what this run is, in one archive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dogbreed
from dogbreed.errors import ConfigError
from launch.shipping.reproducible_tar import tar_gz
from launch.shipping.shipped_files import check_secrets, check_total, shipped_files

# Of the package that runs here: in a checkout the repository, in an installed wheel the folder of packages.
CHECKOUT = Path(dogbreed.__file__).resolve().parent.parent
ENTRY = "container_entry.py"
# At the root: the folder of the script comes first on sys.path, where files of dogbreed/ would hide others.
ENTRY_SOURCE = '''"""What SageMaker's training toolkit starts."""

from dogbreed.container import main

# A data loader's workers may import this file anew.
if __name__ == "__main__":
    main()
'''


def source_archive(run: Mapping[str, Any], requirements: Sequence[str], *, root: Path = CHECKOUT) -> bytes:
    """`source.tar.gz`: dogbreed/, conf/, run.json, requirements.txt and container_entry.py; the same bytes each time.

    Args:
        run: what JSON can write: the overrides of the run, and whether it is a trial.
        requirements: as `launch.shipping.requirements.pinned_requirements` has them.
        root: the folder that has dogbreed/, with conf/ beside or inside it.

    Raises:
        ConfigError: something that must not be sent: a secret, a large file, a link; or that JSON cannot write.
    """
    package = root / "dogbreed"
    inside = package / "conf"
    conf = inside if inside.is_dir() else root / "conf"
    files = _below("dogbreed", shipped_files(package, without=inside)) | _below("conf", shipped_files(conf))
    texts = {
        "run.json": _json(run),
        "requirements.txt": "".join(f"{line}\n" for line in requirements),
        ENTRY: ENTRY_SOURCE,
    }
    files |= {name: text.encode() for name, text in texts.items()}
    for name in texts:
        check_secrets(name, files[name])
    check_total(files)
    return tar_gz(files)


def archive_sha256(archive: bytes) -> str:
    """What an archive is called by, in hexadecimal."""
    return hashlib.sha256(archive).hexdigest()


def _below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _json(run: Mapping[str, Any]) -> str:
    try:
        return json.dumps(run, indent=1, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Cannot send the run's settings {run!r}: expected what JSON can write ({error}).") from error
