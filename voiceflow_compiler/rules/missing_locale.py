"""A flow without a locale that its project promises.

Why: the project says that callers are served in this language, and here they would hear another.

**Flagged**

    flow: desk  # flagged
    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]
    locales = ["es-US"]

**Clean**

    flow: desk
    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]
    locales = ["es-US"]
    # in: locales/es-US.yaml
    locale: es-US

Tip: `vfc locale FLOW TAG` writes `locales/TAG.yaml` for a translator.
"""

from typing import Final

CODE: Final = "VF156"
NAME: Final = "missing-locale"
SEVERITY: Final = "error"
