"""Numbers at any concurrency: no gaps, none twice, each county by itself."""

import threading

import pytest
from django.db import connections, transaction

from incubator.certification.services.awards import next_number
from tests import factories

HERE, THERE = "622927", "520526"
THREADS = 32


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(2))
def test_32_at_once_in_two_counties_leave_no_gap_and_no_double(attempt):
    """Every fourth one is refused after it took its number, which then must be given to another."""
    counties = [factories.region(HERE), factories.region(THERE)]
    taken, errors, together = [], [], threading.Barrier(THREADS)

    def take(n):
        together.wait(timeout=30)
        try:
            with transaction.atomic():
                number = next_number(2026, counties[n % 2])
                if n % 4 > 1:
                    raise KeyError(number)
            taken.append(number)
        except KeyError:
            pass
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=[n]) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert errors == []
    for code in (HERE, THERE):
        of_county = sorted(number for number in taken if code in number)
        assert of_county == [f"XC-2026-{code}-{n:04d}" for n in range(1, THREADS // 4 + 1)]
    assert len(taken) == THREADS // 2


@pytest.mark.django_db
def test_each_year_and_county_counts_from_one():
    here, there = factories.region(HERE), factories.region(THERE)
    numbers = [next_number(2026, here), next_number(2026, here), next_number(2026, there), next_number(2027, here)]
    assert numbers == ["XC-2026-622927-0001", "XC-2026-622927-0002", "XC-2026-520526-0001", "XC-2027-622927-0001"]
