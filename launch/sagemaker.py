"""`python launch/sagemaker.py`: the door to SageMaker."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a script, this folder comes first in the path, and `import sagemaker` would find this file.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from dogbreed.command_line import run_command
    from launch.main import command

    run_command(command)
