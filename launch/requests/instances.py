"""What can be told of an instance type by its name."""

from __future__ import annotations

import re

INSTANCE_TYPE = re.compile(r"ml\.([a-z][a-z0-9-]*)\.[a-z0-9-]+")
# GPUs of the sizes that have more than one, by family; all other sizes of families with GPUs have one.
GPUS: dict[str, dict[str, int]] = {
    "p2": {"8xlarge": 8, "16xlarge": 16},
    "p3": {"8xlarge": 4, "16xlarge": 8},
    **{family: {"24xlarge": 8} for family in ("p3dn", "p4d", "p4de")},
    **{family: {"48xlarge": 8} for family in ("p5", "p5e", "p5en", "p6-b200", "p6-b300")},
    "p6e-gb200": {"36xlarge": 4},
    "g4dn": {"12xlarge": 4},
    **{family: {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8} for family in ("g5", "g6", "g6e")},
    **{family: {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8} for family in ("g7", "g7e")},
}
# Families whose disks are in the machine; of most others a d at the end says so: c5d, g4dn, p4de.
WITH_DISKS = re.compile(r"[a-z]+\d+[a-z]*d[a-z]*|g[5-9]e?|p[5-9].*|trn.*")


def is_instance_type(name: str) -> bool:
    """Whether SageMaker could have a type of that name.

    >>> is_instance_type("ml.g4dn.xlarge"), is_instance_type("g4dn.xlarge")
    (True, False)
    """
    return INSTANCE_TYPE.fullmatch(name) is not None


def family(instance_type: str) -> str:
    """The family of an instance type; empty where the name is none.

    >>> family("ml.m7i-flex.large")
    'm7i-flex'
    """
    found = INSTANCE_TYPE.fullmatch(instance_type)
    return found[1] if found else ""


def processor(instance_type: str) -> str:
    """What computes: cpu, gpu, or inf or trn, AWS's own chips.

    >>> [processor(name) for name in ("ml.g4dn.xlarge", "ml.m5.large", "ml.trn1.2xlarge")]
    ['gpu', 'cpu', 'trn']
    """
    name = family(instance_type)
    if name.startswith(("inf", "trn")):
        return name[:3]
    return "gpu" if name.startswith(("g", "p")) else "cpu"


def gpus(instance_type: str) -> int:
    """How many GPUs an instance has.

    >>> gpus("ml.g5.12xlarge"), gpus("ml.g5.xlarge"), gpus("ml.m5.large")
    (4, 1, 0)
    """
    sizes = GPUS.get(family(instance_type), {})
    return sizes.get(instance_type.rpartition(".")[2], int(processor(instance_type) == "gpu"))


def has_disks(instance_type: str) -> bool:
    """Whether the machine has disks of its own, which it encrypts by itself and whose size is given.

    >>> has_disks("ml.g4dn.xlarge"), has_disks("ml.c5.xlarge"), has_disks("ml.p3.2xlarge")
    (True, False, False)
    """
    return WITH_DISKS.fullmatch(family(instance_type)) is not None
