"""Lists and maps inside one another, more than forty levels.

Why: a flow needs about six levels. This many come from a program that went astray, and could stop a reader.

**Flagged**

    title: <[ 41 times>Front desk<] 41 times>  # flagged

**Clean**

    title: Front desk

Tip: write the value by itself, without the brackets around it.
"""

from typing import Final

CODE: Final = "VF010"
NAME: Final = "too-deep"
SEVERITY: Final = "error"
