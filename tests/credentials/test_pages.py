"""The page where anybody verifies, what programs read, the holder's own pages, and the desk."""

import json
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.certification.models import Award
from incubator.certification.models.awards import new_code
from incubator.certification.services import withdraw_award
from incubator.certification.services.names import agree_to_show_name
from incubator.credentials import limits
from incubator.credentials.choices import KeyState
from incubator.credentials.codes import as_code, is_code, is_number
from incubator.credentials.models import Credential, SigningKey, StatusList
from incubator.credentials.services import distrust_signing_key, issue_credential, rotate_signing_key
from incubator.credentials.services.keys import signing_key
from incubator.credentials.urls import verification_url
from tests import factories
from tests.credentials.world import expired, many_awards
from tests.desk.world import county_staff
from tests.world import certified

pytestmark = pytest.mark.django_db
REASON = "弄虚作假的理由"


@pytest.fixture(autouse=True)
def in_english(settings):
    settings.LANGUAGE_CODE = "en"


def page_of(award):
    return Client().get(urlsplit(verification_url(award)).path)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# --- What anybody reads -----------------------------------------------------------------------------------------------


def test_a_valid_award_says_so_and_names_nobody():
    award = certified("a")
    answer = page_of(award)

    assert answer.status_code == 200
    assert "This certificate is valid." in words(answer)
    for shown in (award.badge.name, award.number, award.trainee.county.name):
        assert shown in words(answer)
    for hidden in (award.holder_name, award.trainee.name, award.trainee.name[:1] + "*", award.trainee.number):
        assert hidden not in answer.content.decode()


def test_the_name_is_read_while_its_holder_agrees():
    award = certified("a")
    agree_to_show_name(award, by=award.trainee.user)

    assert award.holder_name in words(page_of(award))


def test_a_withdrawn_award_says_since_when_and_not_why():
    award = certified("a")
    withdraw_award(award, by=factories.superuser(display_name="经办人"), reason=REASON)
    answer = page_of(award)

    assert answer.status_code == 200
    assert "was withdrawn on" in words(answer) and "is valid." not in words(answer)
    assert REASON not in answer.content.decode() and "经办人" not in answer.content.decode()


def test_an_expired_award_says_until_when():
    award = expired(certified("a"))
    text = words(page_of(award))

    assert "This certificate has expired." in text and "is valid." not in text


def test_its_last_day_is_valid():
    award = certified("a")
    Award.objects.filter(pk=award.pk).update(expires_on=timezone.localdate())

    assert "This certificate is valid." in words(page_of(award))


def test_withdrawn_comes_before_expired():
    award = expired(certified("a"))
    withdraw_award(award, by=factories.superuser(), reason=REASON)

    assert "was withdrawn on" in words(page_of(award))


def test_an_unknown_code_is_told_and_nothing_else():
    certified("a")
    answer = Client().get(reverse("verify", args=[new_code()]))

    assert answer.status_code == 404
    assert "There is no certificate with this code." in words(answer)


@pytest.mark.parametrize("field", ["number", "pk"])
def test_the_number_opens_nothing(field):
    award = certified("a")
    answer = Client().get(reverse("verify", args=[str(getattr(award, field))]))

    assert answer.status_code == 404 and award.badge.name not in words(answer)


def test_unknown_and_withdrawn_are_looked_up_alike():
    """As many queries for a code that exists as for one that does not, but for the name of its county."""
    award = certified("a")
    counts = []
    for code in (new_code(), "x", award.number):
        with CaptureQueriesContext(connection) as asked:
            Client().get(reverse("verify", args=[code]))
        counts.append(len(asked))

    assert counts == [1, 1, 1]


@pytest.mark.parametrize("name", ["verify", "verify_form"])
def test_no_cache_and_no_search_engine_keeps_it(name):
    award = certified("a")
    answer = Client().get(reverse(name, args=[award.code] if name == "verify" else []))

    assert answer["Cache-Control"] == "no-store"
    assert "noindex" in answer["X-Robots-Tag"] and answer["Referrer-Policy"] == "no-referrer"
    assert 'name="robots" content="noindex' in answer.content.decode()
    assert "<script" not in answer.content.decode() and len(answer.content) < 20_000


def test_the_qr_address_is_absolute_and_the_site_s():
    award = certified("a")

    assert verification_url(award) == f"https://badges.example.org/verify/{award.code}/"


def test_the_page_is_chinese_unless_asked_otherwise(settings):
    settings.LANGUAGE_CODE = "zh-hans"
    award = certified("a")

    assert '<html lang="zh-hans">' in page_of(award).content.decode()
    english = Client(HTTP_ACCEPT_LANGUAGE="en").get(reverse("verify", args=[award.code]))
    assert '<html lang="en">' in english.content.decode()


# --- The form ---------------------------------------------------------------------------------------------------------


def typed(text):
    return Client(enforce_csrf_checks=True).post(reverse("verify_form"), {"code": text})


@pytest.mark.parametrize(
    "spoil",
    [
        str.lower,
        lambda code: " ".join(re.findall("....", code)),
        lambda code: "-".join(re.findall(".....", code)) + "\n",
        lambda code: "".join(chr(ord(letter) + 0xFEE0) for letter in code),
    ],
)
def test_a_code_is_read_however_it_is_typed(spoil):
    award = certified("a")
    answer = typed(spoil(award.code))

    assert answer.status_code == 302 and answer["Location"] == reverse("verify", args=[award.code])
    assert Client().get(reverse("verify", args=[spoil(award.code).strip()])).status_code == 200


@pytest.mark.parametrize("text", ["", "ABC", "x" * 500, "O" * 20, "<script>alert(1)</script>"])
def test_what_is_no_code_is_told(text):
    answer = typed(text)

    assert answer.status_code == 200 and "20 letters and digits" in words(answer)
    assert "<script" not in answer.content.decode()


@pytest.mark.parametrize("text", ["XC-2026-622927-0001", "xc 2026 622927 12345"])
def test_a_number_is_told_to_be_one(text):
    answer = typed(text)

    assert answer.status_code == 200 and "This is the number of a certificate." in words(answer)


def test_codes_and_numbers_are_told_apart():
    assert all(is_code(new_code()) for _n in range(200))
    assert not is_code("A" * 19) and not is_code("A" * 21) and not is_code("0" * 20)
    assert is_number(as_code("XC-2026-622927-0001")) and not is_number(new_code())


# --- Limits -----------------------------------------------------------------------------------------------------------


def ask(code, address="203.0.113.5"):
    return Client(REMOTE_ADDR=address).get(reverse("verify", args=[code])).status_code


def test_an_address_that_guesses_is_stopped_soon_and_others_are_not():
    award = certified("a")
    said = [ask(new_code()) for _n in range(15)]

    assert said == [404] * 12 + [429] * 3
    assert ask(award.code) == 429
    assert ask(award.code, "203.0.113.6") == 200


def test_known_codes_cost_less():
    award = certified("a")

    assert [ask(award.code) for _n in range(121)] == [200] * 120 + [429]


def test_a_refusal_says_when_to_come_back_and_tells_nothing():
    award = certified("a")
    for _n in range(13):
        ask(new_code())
    client = Client(REMOTE_ADDR="203.0.113.5")
    known, unknown = (client.get(reverse("verify", args=[code])) for code in (award.code, new_code()))

    assert known["Retry-After"] == str(limits.SECONDS)
    mask = re.compile(r'/verify/[^"/]+/|name="csrfmiddlewaretoken" value="[^"]+"')
    assert mask.sub("", known.content.decode()) == mask.sub("", unknown.content.decode())


def test_no_address_lies_in_the_cache(monkeypatch):
    keys = []
    monkeypatch.setattr(cache, "add", lambda key, *rest: keys.append(key))
    ask(new_code())

    assert keys and not any("203.0.113.5" in key for key in keys)


# --- What programs read -----------------------------------------------------------------------------------------------


def test_the_did_document_names_all_keys_and_trusts_some():
    staff = factories.superuser()
    first = signing_key()
    second = rotate_signing_key(by=staff, reason="每年一次")
    third = rotate_signing_key(by=staff, reason="每年一次")
    distrust_signing_key(second, by=staff, reason="备份丢失")

    answer = Client().get("/.well-known/did.json")
    document = json.loads(answer.content)

    assert document["id"] == "did:web:badges.example.org"
    assert {method["id"] for method in document["verificationMethod"]} == {k.address for k in (first, second, third)}
    assert set(document["assertionMethod"]) == {first.address, third.address}
    assert answer["Content-Type"] == "application/did+json" and answer["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer["Cache-Control"]
    for secret in SigningKey.objects.filter(state=KeyState.ACTIVE):
        assert secret.secret not in answer.content.decode()


def test_a_port_is_part_of_the_did(settings):
    settings.CREDENTIAL_BASE_URL = "http://127.0.0.1:8000"
    signing_key()

    assert json.loads(Client().get("/.well-known/did.json").content)["id"] == "did:web:127.0.0.1%3A8000"


def test_without_a_key_there_is_no_did():
    assert Client().get("/.well-known/did.json").status_code == 404


def test_a_status_list_is_asked_for_again_until_it_changes():
    award = certified("a")
    issue_credential(award)
    address, client = reverse("credential_status", args=[StatusList.objects.get().pk]), Client()
    first = client.get(address)

    assert first["Cache-Control"] == "public, no-cache" and first["Content-Type"] == "application/vc+ld+json"
    same = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    withdraw_award(award, by=factories.superuser(), reason=REASON)
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200
    assert client.get(reverse("credential_status", args=[99_999])).status_code == 404


# --- The holder's own pages -------------------------------------------------------------------------------------------


def holder(award):
    client = Client()
    client.force_login(award.trainee.user)
    return client


def test_a_holder_takes_their_credential_and_no_other():
    award, other = certified("a"), certified("b")
    answer = holder(award).get(reverse("own_credential", args=[award.number]))

    assert json.loads(answer.content) == issue_credential(award).document
    assert answer["Content-Disposition"] == f'attachment; filename="{award.number}.json"'
    assert answer["Content-Type"].startswith("application/vc+ld+json") and "no-store" in answer["Cache-Control"]
    for name in ("own_credential", "show_name"):
        client = holder(award)
        ask_for = client.get if name == "own_credential" else client.post
        assert ask_for(reverse(name, args=[other.number])).status_code == 404
    assert not Credential.objects.filter(award=other).exists()


def test_a_holder_agrees_and_takes_it_back():
    award = certified("a")
    client, address = holder(award), reverse("show_name", args=[award.number])
    page = reverse("certificate", args=[award.number])
    assert "I agree that my name is shown" in words(client.get(page))

    said = words(client.post(address, {"show": "yes"}, follow=True))
    assert "now reads your name" in said and "Do not show my name any more" in said
    assert award.holder_name in words(page_of(award)) and award.holder_name in issue_credential(award).text

    said = words(client.post(address, {"show": "no"}, follow=True))
    assert "not shown any more" in said
    assert award.holder_name not in words(page_of(award)) and award.holder_name not in issue_credential(award).text
    assert client.get(address).status_code == 405


def test_of_a_withdrawn_award_nothing_is_taken_and_no_name_is_shown():
    award = certified("a")
    withdraw_award(award, by=factories.superuser(), reason=REASON)
    client = holder(award)

    said = words(client.get(reverse("own_credential", args=[award.number]), follow=True))
    assert "no credential is issued" in said and "Download the signed credential" not in said
    client.post(reverse("show_name", args=[award.number]), {"show": "yes"})
    assert Award.objects.get().name_shown_since is None


# --- The desk ---------------------------------------------------------------------------------------------------------


def test_staff_see_credentials_of_their_county_and_no_key(client):
    award = certified("a")
    credential = issue_credential(award)
    lists = [reverse(f"admin:credentials_{name}_changelist") for name in ("credential", "signingkey")]
    page = reverse("admin:credentials_credential_change", args=[credential.pk])

    client.force_login(county_staff(award.trainee.county.code))
    assert client.get(lists[0]).context["cl"].result_count == 1
    assert client.get(lists[1]).context["cl"].result_count == 0
    assert "DataIntegrityProof" in client.get(page).content.decode()
    client.force_login(county_staff("520502"))
    assert client.get(lists[0]).context["cl"].result_count == 0
    assert client.get(page).status_code == 302


def test_a_key_is_rotated_from_its_page_with_a_reason(client):
    key, staff = signing_key(), factories.superuser()
    client.force_login(staff)
    page = reverse("admin:credentials_signingkey_change", args=[key.pk])
    move = reverse("admin:credentials_signingkey_move", args=[key.pk, "rotate"])
    assert key.secret not in client.get(page).content.decode()

    client.post(move, {"reason": ""})
    assert SigningKey.objects.count() == 1
    client.post(move, {"reason": "每年一次"})

    key.refresh_from_db()
    assert (key.state, key.ended_by) == (KeyState.RETIRED, staff) and SigningKey.objects.count() == 2
    client.post(reverse("admin:credentials_signingkey_move", args=[key.pk, "distrust"]), {"reason": "备份丢失"})
    key.refresh_from_db()
    assert key.state == KeyState.COMPROMISED


def test_nobody_but_a_superuser_rotates(client):
    key = signing_key()
    client.force_login(county_staff("622927"))
    client.post(reverse("admin:credentials_signingkey_move", args=[key.pk, "rotate"]), {"reason": "每年一次"})

    assert SigningKey.objects.get().state == KeyState.ACTIVE


def test_an_award_s_page_says_where_it_is_verified(client):
    award = certified("a")
    issue_credential(award)
    client.force_login(factories.superuser())
    page = reverse("admin:certification_award_change", args=[award.pk])

    assert verification_url(award) in client.get(page).content.decode()


def test_credentials_are_searched_by_number_and_person(client):
    awards = many_awards(3)
    for award in awards:
        issue_credential(award)
    client.force_login(factories.superuser())
    address = reverse("admin:credentials_credential_changelist")
    for term, found in [(awards[1].number, 1), (awards[2].trainee.name, 1), ("XC-", 3), ("没有这个人", 0)]:
        assert client.get(address, {"q": term}).context["cl"].result_count == found
    withdraw_award(awards[0], by=factories.superuser(), reason=REASON)
    assert client.get(address, {"good": "no"}).context["cl"].result_count == 1
    assert client.get(address, {"good": "yes"}).context["cl"].result_count == 2


# --- The command ------------------------------------------------------------------------------------------------------


def verify_credentials(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_credentials", *arguments, stdout=out, stderr=err)
    except CommandError as refusal:
        return refusal.returncode, out.getvalue() + err.getvalue() + str(refusal)
    return 0, out.getvalue() + err.getvalue()


def test_the_command_finds_all_well():
    for award in many_awards(3):
        issue_credential(award)

    assert verify_credentials() == (0, "All 3 awards have a good credential.\n")


def test_it_finds_what_is_missing_distrusted_and_out_of_date():
    missing, distrusted, renamed, good = many_awards(4)
    issue_credential(distrusted)
    rotate_signing_key(by=factories.superuser(), reason="每年一次")
    for award in (renamed, good):
        issue_credential(award)
    distrust_signing_key(Credential.objects.get(award=distrusted).key, by=factories.superuser(), reason="备份丢失")
    Award.objects.filter(pk=renamed.pk).update(name_shown_since=timezone.now())

    code, said = verify_credentials()

    assert code == 1 and "3 findings in 4 awards." in said
    assert f"{missing.number}: It has no credential." in said
    assert f"{distrusted.number}: Its proof does not hold: a key that is not trusted." in said
    assert f"{renamed.number}: It does not say what the award says." in said
    assert good.number not in said and renamed.holder_name not in said
    assert verify_credentials("--award", good.number)[0] == 0
    assert verify_credentials("--award", "XC-1") == (2, "There is no award XC-1 in force.")


def test_it_finds_a_text_that_was_altered():
    award = certified("a")
    credential = issue_credential(award)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE credentials_credential DISABLE TRIGGER USER")
    until = (timezone.localdate() + timedelta(days=900)).isoformat()
    altered = credential.document | {"validUntil": f"{until}T23:59:59+08:00"}
    Credential.objects.update(text=json.dumps(altered))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credentials_credential ENABLE TRIGGER USER")

    code, said = verify_credentials()

    assert code == 1 and "a signature that does not fit" in said and "It does not say what the award says" in said
