"""How personal data looks on screens and in files: enough to recognise, too little to use."""

import re
from datetime import date


def mask_phone(phone: str | None) -> str:
    """``+8613800001234`` or ``13800001234`` → ``138****1234``; nothing for none."""
    digits = (phone or "").removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 7 else ""


def mask_id_number(number: str | None) -> str:
    """``110105199001011234`` → ``110105********1234``; nothing for none."""
    return f"{number[:6]}********{number[-4:]}" if number and len(number) >= 10 else ""


def mask_birth(day: date | str | None) -> str:
    """``1990-01-02`` → ``1990-**-**``; nothing for none. The whole day fills the gap in a masked ID number."""
    return f"{str(day)[:4]}-**-**" if day else ""


def mask_name(name: str) -> str:
    """``王小明`` → ``王*明``, ``王明`` → ``王*``: the first and, from three characters on, the last stay."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


# As people and addresses write them: in groups, full width, with the country's code, with what a URL makes of a space.
_GAP = r"(?:[ +\-\u00a0\u3000]|%20)?"
_DIGIT, _ONE_TO_NINE = "[0-9０-９]", "[1-9１-９]"
_MOBILE = rf"(?:(?:00)?(?:86|８６){_GAP})?([1１][3-9３-９]{_DIGIT}){_GAP}{_DIGIT}{{4}}{_GAP}({_DIGIT}{{4}})"
_ID_NUMBER = rf"({_ONE_TO_NINE}{_DIGIT}{{5}}){_GAP}{_DIGIT}{{8}}{_GAP}({_DIGIT}{{3}}[0-9０-９XxＸｘ])"
_NUMBERS = re.compile(rf"(?<!{_DIGIT})(?:{_ID_NUMBER}|{_MOBILE})(?!{_DIGIT})")
_ELEVEN_DIGITS = re.compile(rf"{_DIGIT}(?:{_GAP}{_DIGIT}){{10}}")  # asked first: most texts have none


def mask_numbers(text: str) -> str:
    """``text`` with whatever looks like an ID number or a mobile masked; a last line, not a way to handle such data."""
    return _NUMBERS.sub(_masked, text) if _ELEVEN_DIGITS.search(text) else text


def _masked(found: re.Match) -> str:
    if found[1]:
        return f"{found[1]}********{found[2]}"
    return f"{found[3]}****{found[4]}"
