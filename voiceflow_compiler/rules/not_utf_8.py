r"""A file that is not saved as UTF-8 text.

Why: in another encoding the same bytes are other letters, and a caller would hear a name spoken wrongly.

**Flagged**

    title: Caf\xe9 Northwind  # flagged

**Clean**

    title: Café Northwind

Tip: save the file as UTF-8; every editor has that under "Save with encoding".
"""

from typing import Final

CODE: Final = "VF003"
NAME: Final = "not-utf-8"
SEVERITY: Final = "error"
