"""A file that cannot be opened, or that is no file.

Why: what stands in it is missing from the flow, and a caller would hear a call that was never designed.
Folders, devices and pipes are not opened: some of them never end.

**Flagged**

    include:
      - parts  # flagged
    # file: parts/answers.yaml
    knowledge:
      - The trial is free.

**Clean**

    include:
      - parts/answers.yaml
    # file: parts/answers.yaml
    knowledge:
      - The trial is free.

Tip: name a file, spell it as it is on disk, and let whoever runs `vfc` read it.
"""

from typing import Final

CODE: Final = "VF001"
NAME: Final = "unreadable-file"
SEVERITY: Final = "error"
