"""What can be wrong with what a user gave: the commands print it as one line and exit with status 1."""


class DogbreedError(Exception):
    """A fault of the input or the machine, not of the program: says what was expected, what came, what to do."""


class DataError(DogbreedError):
    """Photos or folders that cannot be used as they are."""


class DownloadError(DogbreedError):
    """A file that could not be fetched, or was not the one expected."""


class WeightsError(DogbreedError):
    """Pretrained weights that cannot be read, or do not belong to the backbone."""


class ArtifactError(DogbreedError):
    """A model artifact that is damaged, incomplete or from a newer version, or that could not be written."""


class CheckpointError(DogbreedError):
    """A checkpoint that could not be written, or a run that cannot be continued from it."""


class ConfigError(DogbreedError):
    """A setting that is unknown, or whose value cannot be used."""


class CacheError(DogbreedError):
    """A cache folder that cannot be found, read or cleared."""


class TrialError(DogbreedError):
    """A trial of a search that has no result."""


class CloudError(DogbreedError):
    """What a cloud service refused, or could not be asked."""
