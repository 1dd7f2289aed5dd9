"""What SageMaker does with S3 before and after a job, on a moto server."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def parts(uri: str) -> tuple[str, str]:
    split = urlsplit(uri)
    return split.netloc, split.path.lstrip("/")


def download_folder(s3: Any, uri: str, folder: Path) -> Path:
    """All objects below a prefix, as a channel in File mode has them."""
    bucket, prefix = parts(uri)
    folder.mkdir(parents=True, exist_ok=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            path = folder / item["Key"].removeprefix(prefix).lstrip("/")
            path = folder / Path(item["Key"]).name if path == folder else path
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(path))
    return folder


def upload_folder(s3: Any, folder: Path, uri: str) -> None:
    bucket, prefix = parts(uri)
    for path in filter(Path.is_file, folder.rglob("*")):
        s3.upload_file(str(path), bucket, f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}")


def read_bytes(s3: Any, uri: str) -> bytes:
    bucket, key = parts(uri)
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def upload_tar(s3: Any, folder: Path, uri: str) -> None:
    """`model.tar.gz` and `output.tar.gz`: the content of a folder, without the folder."""
    bucket, key = parts(uri)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    s3.put_object(Bucket=bucket, Key=key, Body=buffer.getvalue())


def unpack(content: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")
    return folder
