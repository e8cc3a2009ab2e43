"""A flow in other languages: the files under `locales/` beside it, and the flow with their texts in it.

Laws
1. A locale changes what is said and how callers may say it: never a node, a way, a condition or a name.
2. A text that a caller would hear in the wrong language is an error; what only the model reads may stay in
   the flow's own.
3. What is found in a localized flow stands at the translation's own place.
"""

from voiceflow_compiler.locales.reading import Locale, open_locales
from voiceflow_compiler.locales.template import written
from voiceflow_compiler.locales.texts import Text, texts

__all__ = ["Locale", "Text", "open_locales", "texts", "written"]
