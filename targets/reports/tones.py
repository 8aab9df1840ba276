"""What verdicts mean for the reader of a table."""

from __future__ import annotations

from typing import Final

from targets.reports.document import Tone
from targets.verdicts import Verdict

TONES: Final = {
    Verdict.MET: Tone.GOOD,
    Verdict.MISSED: Tone.BAD,
    Verdict.CANNOT_TELL: Tone.OPEN,
}
