"""A file of more than 2 MiB, or a flow whose files have more than 4 MiB together.

Why: nobody writes that much by hand, and nobody can know what a caller will hear of it. Most often the file
is no flow at all.

**Flagged**

    # file: flow.yaml
    language: 1  # flagged
    # <x 2100000 times>

**Clean**

    include:
      - answers.yaml
    # file: answers.yaml
    knowledge:
      - The trial is free.

Tip: move parts into files of their own with `include`, or split the flow, and check that this is the file
you meant.
"""

from typing import Final

CODE: Final = "VF002"
NAME: Final = "file-too-large"
SEVERITY: Final = "error"
