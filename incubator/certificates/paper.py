"""Certificates and notices as PDF, in Chinese whatever the reader's language. Nothing here writes a row."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

import segno
from django.conf import settings
from django.utils import timezone

from incubator.certificates.models import Edition, Seal
from incubator.certification.choices import AwardStanding
from incubator.certification.models import Award
from incubator.common.pdf import is_drawn_by, missing_glyphs, render_pdf
from incubator.credentials.addresses import verification_url
from incubator.regions.models import Region

SOLEMN = "NotoSerifCJKsc-Bold.otf"  # the font of names; one that it lacks a character of is set in another as a whole
DIGITS = "〇一二三四五六七八九"
MASK = 4  # trying all eight costs six times as much; any of them is read
OVERPRINTS = {AwardStanding.WITHDRAWN: "已撤销", AwardStanding.EXPIRED: "已过期"}
FOR_EVER = "长期有效"
NO_GLYPH = "□"
ON_PAPER = ("candidate__participation__cohort__programme", "badge", "trainee__county")  # what ``words_of`` reads


# --- Words ------------------------------------------------------------------------------------------------------------


def chinese_day(day: date) -> str:
    """``二〇二六年十一月二十八日``."""
    year = "".join(DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{_below_hundred(day.month)}月{_below_hundred(day.day)}日"


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = "" if not tens else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return ten + (DIGITS[ones] if ones else "")


def plain_day(day: date) -> str:
    """``2026年6月1日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def in_groups(code: str) -> str:
    """``ABCD EFGH …``, as it is printed below the QR code."""
    return " ".join(code[n : n + 4] for n in range(0, len(code), 4))


def words_of(award: Award, county: Region) -> dict[str, str]:
    """What stands on a certificate beside name, number and seal; ``award`` is read with ``ON_PAPER``."""
    programme = award.candidate.participation.cohort.programme
    return {
        "programme": programme.name,
        "county": county.path_name.replace(" ", "　"),
        "sentence": achievement(award),
        "badge": award.badge.name,
        "issued_on": chinese_day(award.awarded_on),
        "valid": f"至{plain_day(award.expires_on)}" if award.expires_on else FOR_EVER,
    }


def achievement(award: Award) -> str:
    """What was achieved, in two lines, from the evidence that was frozen with the award."""
    took_part = award.evidence.get("participation", {})
    reading = award.evidence.get("reading", {})
    cohort = took_part.get("cohort") or str(award.candidate.participation.cohort)
    said = [f"参加“{cohort}”培训"]
    if took_part.get("graduated_on"):
        said.append(f"于{plain_day(date.fromisoformat(took_part['graduated_on']))}结业")
    then = []
    if reading.get("day") and reading.get("followers"):
        day = plain_day(date.fromisoformat(reading["day"]))
        then.append(f"扶持期内于{day}粉丝数达到{reading['followers']:,}人")
    return "，".join(said) + "，\n" + "，".join([*then, "经审核，认定为"])


def counties_of(awards: Iterable[Award]) -> dict[int, Region]:
    """The county of each award when it was given, which its number tells; people move. One query."""
    codes = {award.pk: _county_code(award) for award in awards}
    found = Region.objects.select_related("province", "prefecture").in_bulk(set(codes.values()))
    return {pk: found[code] for pk, code in codes.items()}


def _county_code(award: Award) -> str:
    parts = award.number.split("-")
    return parts[2] if len(parts) == 4 else award.trainee.county_id


def unprintable(name: str, words: dict[str, str]) -> list[str]:
    """Characters of a certificate that no font here has."""
    return missing_glyphs(name + "".join(words.values()))


# --- Certificates -----------------------------------------------------------------------------------------------------


def certificate_pdf(edition: Edition, *, on: date) -> bytes:
    """One certificate. Of an award that is not valid on that day it is overprinted with what it is."""
    award = edition.award
    overprint = OVERPRINTS.get(award.standing(on=on), "")
    data = sheets_data([edition], title=f"证书 {award.number}", overprint=overprint)
    return render_pdf("certificate", data)


def sheets_data(editions: Sequence[Edition], *, title: str, overprint: str = "") -> dict[str, Any]:
    """What the template takes for these certificates, one on a page."""
    seals = {edition.seal for edition in editions if edition.seal is not None}
    return {
        "title": title,
        "seals": {str(seal.pk): list(_picture(seal)) for seal in sorted(seals, key=lambda seal: seal.pk)},
        "certificates": [_sheet(edition, overprint) for edition in editions],
    }


def _picture(seal: Seal) -> bytes:
    content: bytes = seal.image.read_unsealed()
    return content


def _sheet(edition: Edition, overprint: str) -> dict[str, Any]:
    award = edition.award
    return {
        **edition.words,
        "name": edition.holder_name,
        "plain": not is_drawn_by(SOLEMN, edition.holder_name),
        "number": award.number,
        "edition": f"（第{edition.number}版，{plain_day(timezone.localdate(edition.at))}换发）"
        if edition.number > 1
        else "",
        "issuer": issuer_of(edition),
        "seal": str(edition.seal_id or ""),
        "qr": _drawn(verification_url(award)),
        "code": in_groups(award.code),
        "overprint": overprint,
    }


def issuer_of(edition: Edition) -> str:
    """Who signs: as the seal says; the programme's office while there is none."""
    return edition.seal.issuer if edition.seal else f"{edition.words['programme']}项目办公室"


def _drawn(address: str) -> str:
    """A QR code as SVG, a unit a module."""
    code = segno.make(address, error="m", micro=False, boost_error=False, mask=MASK)
    out = io.BytesIO()
    code.save(out, kind="svg", border=0, xmldecl=False, svgclass=None, lineclass=None, omitsize=True, nl=False)
    return out.getvalue().decode()


# --- Notices ----------------------------------------------------------------------------------------------------------


def notice_pdf(edition: Edition) -> bytes:
    """The notice to the holder that the award was withdrawn: number, day, reason, and how to object.

    Characters that no font has are left as boxes to be filled in by hand.
    """
    award = edition.award
    if award.withdrawn_at is None:
        raise ValueError("Only of a withdrawn award there is a notice.")
    withdrawn_on = timezone.localdate(award.withdrawn_at)
    data = {
        "title": f"认证撤销通知书 {award.number}",
        "name": _with_boxes(edition.holder_name),
        "badge": _with_boxes(award.badge.name),
        "number": award.number,
        "awarded_on": plain_day(award.awarded_on),
        "withdrawn_on": plain_day(withdrawn_on),
        "signed_on": chinese_day(withdrawn_on),
        "reason": _with_boxes(award.withdrawal_reason),
        "days": settings.CERTIFICATE_OBJECTION_DAYS,
        "issuer": _with_boxes(issuer_of(edition)),
        "qr": _drawn(verification_url(award)),
        "code": in_groups(award.code),
        "by_hand": bool(missing_glyphs(edition.holder_name + award.withdrawal_reason)),
    }
    return render_pdf("notice", data)


def _with_boxes(text: str) -> str:
    missing = missing_glyphs(text)
    return "".join(NO_GLYPH if character in missing else character for character in text)


@cache
def template_version() -> bytes:
    """The template of certificates as it is, to tell parts that an earlier release made."""
    from incubator.common.pdf import TEMPLATES

    return (TEMPLATES / "certificate.typ").read_bytes()
