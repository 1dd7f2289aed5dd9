"""The environment variables of a container, on this machine: nothing of yours that a job on AWS would not have."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.rehearsal.hosts import LOOPBACK

# What programs need to run, to find the network and to find weights that were downloaded before.
KEPT = (
    *("HOME", "LANG", "LC_ALL", "TMPDIR", "TERM", "USER", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS"),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ),
    *("REQUESTS_CA_BUNDLE", "TORCH_HOME", "XDG_CACHE_HOME", "HF_HOME", "CUDA_VISIBLE_DEVICES"),
)
KEPT_PREFIXES = ("PIP_",)
# No profile, no keys, and no asking a cloud machine for its own.
NO_CREDENTIALS = {
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def child_variables(job: Mapping[str, Any], base: Path, python: Path, hosts: Sequence[str]) -> dict[str, str]:
    """The variables that SageMaker and its image set, and those of the request.

    Args:
        job: parameters of `CreateTrainingJob`.
        base: what is `/opt/ml` in a container.
        python: of the job's environment.
        hosts: names of the job's.
    """
    kept = {name: text for name, text in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    region = job["HyperParameters"].get("sagemaker_region", '"us-east-1"').strip('"')
    service = {
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "AWS_REGION": region,
        # Names of hosts are SageMaker's, which this machine does not know.
        "SM_STUDIO_LOCAL_MODE": "True",
    }
    return kept | dict(job.get("Environment", {})) | service | _together(hosts) | _isolated(job) | NO_CREDENTIALS


def _together(hosts: Sequence[str]) -> dict[str, str]:
    """Of several hosts on one machine: by its loopback, and without its GPUs, which cannot be shared so."""
    return {"GLOO_SOCKET_IFNAME": LOOPBACK, "CUDA_VISIBLE_DEVICES": ""} if len(hosts) > 1 else {}


def _isolated(job: Mapping[str, Any]) -> dict[str, str]:
    return {"PIP_NO_INDEX": "1"} if job.get("EnableNetworkIsolation") else {}
