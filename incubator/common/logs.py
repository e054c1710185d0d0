"""The last line: no ID number and no mobile in a log record or a report of an error, whoever wrote it there.

Nothing personal is meant to be logged. What libraries write is not ours: the web server logs whole addresses, and a
search by phone is in the address; a driver's error repeats a value.
"""

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from incubator.common.masking import mask_numbers

_make_record = logging.getLogRecordFactory()
_plain = logging.Formatter()


def mask_every_record() -> None:
    """From now on every record of this process is made masked: there is no logger and no handler that is forgotten."""
    logging.setLogRecordFactory(_masked_record)


def _masked_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    try:
        _mask(record)
    except Exception:  # a wrong format string is told by the handler, as ever
        return record
    return record


def _mask(record: logging.LogRecord) -> None:
    message = record.getMessage()
    masked = mask_numbers(message)
    if masked != message:
        record.msg, record.args = masked, ()
    if record.exc_info and record.exc_info[0]:
        told = _plain.formatException(record.exc_info)
        masked = mask_numbers(told)
        if masked != told:
            record.exc_text = masked  # formatters take it as it is


class PersonalDataFilter(SafeExceptionReporterFilter):
    """An error's report names no value: of forms and variables only that they were there."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request else {}

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


class MaskedReporter(ExceptionReporter):
    """The report of an error, in a mail or on a developer's screen, without ID numbers and mobiles."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(mask_numbers(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(mask_numbers(super().get_traceback_text()))
