"""No ID number and no mobile in a log record or a report of an error, whoever wrote it there."""

import io
import logging
import sys

import pytest
from django.core import mail
from django.test import RequestFactory
from django.urls import clear_url_caches, path
from django.views.debug import ExceptionReporter, get_exception_reporter_class, get_exception_reporter_filter

from incubator import urls
from incubator.common.logs import MaskedReporter, PersonalDataFilter, mask_every_record
from incubator.common.masking import mask_numbers

ID_NUMBER, PHONE = "11010519491231002X", "13800001234"
NAME = "王小明"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (PHONE, "138****1234"),
        (f"call {PHONE}, now", "call 138****1234, now"),
        ("+86 138 0000 1234", "+138****1234"),
        ("+8613800001234", "+138****1234"),
        ("008613800001234", "138****1234"),
        ("138-0000-1234", "138****1234"),
        ("GET /admin/?q=%2B8613800001234&p=1", "GET /admin/?q=%2B138****1234&p=1"),
        ("q=138+0000+1234", "q=138****1234"),
        ("q=138%200000%201234", "q=138****1234"),
        ("１３８００００１２３４", "１３８****１２３４"),
        (ID_NUMBER, "110105********002X"),
        ("110105 19491231 002x", "110105********002x"),
        (f"{ID_NUMBER} {PHONE}", "110105********002X 138****1234"),
        # What must stay: days, instants, ids, amounts, hashes of other lengths.
        ("2026-11-27 10:00:00,123", "2026-11-27 10:00:00,123"),
        ("1700000000 1700000000000", "1700000000 1700000000000"),
        ("12345678901234567890", "12345678901234567890"),
        ("job 123456 of 1,000,000", "job 123456 of 1,000,000"),
        ("1380000123", "1380000123"),
    ],
)
def test_numbers_are_masked_however_they_are_written(text, masked):
    assert mask_numbers(text) == masked


@pytest.fixture
def log():
    """What a handler of somebody else's writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("somebody.elses")
    logger.addHandler(handler)
    logger.written = written.getvalue
    return logger


def test_messages_and_arguments_are_masked_in_any_logger(log):
    log.info("phone %s of %d", PHONE, 5)
    log.warning("%(id)s", {"id": ID_NUMBER})
    log.error(PHONE)
    log.info("%s and %s", "plain", 3)

    assert log.written().splitlines() == ["phone 138****1234 of 5", "110105********002X", "138****1234", "plain and 3"]


def test_tracebacks_are_masked_and_others_left_alone(log):
    for told in (f"phone {PHONE}", "a plain fault"):
        try:
            raise ValueError(told)
        except ValueError:
            log.exception("job failed")

    assert "138****1234" in log.written() and PHONE not in log.written()
    assert "ValueError: a plain fault" in log.written()


def test_a_wrong_format_string_is_told_as_ever(log, monkeypatch, capsys):
    log.info("%d", "no number")
    assert "--- Logging error ---" in capsys.readouterr().err


def test_without_the_mask_it_would_be_there(log):
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    try:
        log.info(PHONE)
    finally:
        mask_every_record()
    assert log.written() == PHONE + "\n" and logging.getLogRecordFactory() is factory


def test_masking_twice_is_masking_once():
    before = logging.getLogRecordFactory()
    mask_every_record()
    assert logging.getLogRecordFactory() is before


# --- Reports of errors ------------------------------------------------------------------------------------------------


def report(request, reporter: type[ExceptionReporter]) -> tuple[str, str]:
    name, id_number = NAME, ID_NUMBER  # in the frame, as in a view
    try:
        raise ValueError(f"{PHONE} {len(name + id_number)}")
    except ValueError:
        made = reporter(request, *sys.exc_info())
    return made.get_traceback_html(), made.get_traceback_text()


def test_an_errors_report_names_no_value():
    request = RequestFactory().post(f"/admin/?q={PHONE}", {"reason": NAME, "id_number": ID_NUMBER})
    assert get_exception_reporter_class(request) is MaskedReporter
    assert isinstance(get_exception_reporter_filter(request), PersonalDataFilter)

    stock = "".join(report(request, type("Stock", (ExceptionReporter,), {"filter": None})))
    assert PHONE in stock, "there is something to leak"
    for told in report(request, MaskedReporter):
        assert PHONE not in told and ID_NUMBER not in told and NAME not in told
        assert "ValueError" in told and "138****1234" in told


@pytest.mark.django_db
def test_a_mail_about_an_error_and_the_page_name_nobody(client, settings, monkeypatch):
    settings.ADMINS = [("a", "a@example.org")]
    settings.DEBUG = False
    client.raise_request_exception = False

    def fails(request):
        name = NAME
        raise ValueError(f"{name} {PHONE} {request.POST['id_number']}")

    fails.login_required = False
    monkeypatch.setattr(urls, "urlpatterns", [path("fails/", fails), *urls.urlpatterns])
    clear_url_caches()
    answer = client.post(f"/fails/?q={PHONE}", {"id_number": ID_NUMBER})
    clear_url_caches()

    assert answer.status_code == 500
    page = answer.content.decode()
    assert PHONE not in page and ID_NUMBER not in page and NAME not in page
    [sent] = mail.outbox
    assert "138****1234" in sent.body and PHONE not in sent.body + sent.subject
    assert ID_NUMBER not in sent.body
