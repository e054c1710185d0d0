"""Some creators post on Douyin too. Those of two counties consent; a third county counts its own in a workbook."""

from datetime import date, datetime
from io import BytesIO

import xlsxwriter
from django.utils import timezone

from incubator.accounts.models import User
from incubator.demo import stage
from incubator.demo.cast import COUNTIES, COUNTS_BY_HAND, EVERY_NTH_ON_DOUYIN
from incubator.demo.clock import DemoClock
from incubator.demo.simulator.curves import Curve, followers_on
from incubator.demo.vendor import Vendor
from incubator.figures.models import FiguresImport
from incubator.figures.services import apply_figures, upload_figures
from incubator.metrics.choices import Platform
from incubator.metrics.models import CreatorAccount
from incubator.metrics.services import register_accounts
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from trainees.models import Trainee

HEADERS = ["序号", "姓名", "抖音号", "粉丝数", "日期"]


def open_douyin_accounts(cohort: Cohort, clock: DemoClock, vendor: Vendor) -> None:
    """Every so many trainees of a county enter a second account, and the simulator hears how it grows."""
    for code in COUNTIES:
        people = Trainee.objects.filter(participations__cohort=cohort, county_id=code).order_by("number")
        some = list(people[EVERY_NTH_ON_DOUYIN - 1 :: EVERY_NTH_ON_DOUYIN])
        register_accounts([(trainee, f"dy{trainee.number[-5:]}") for trainee in some], platform=Platform.DOUYIN)
    vendor.cast([stage.creator(account, clock) for account in douyin_accounts(cohort)])


def douyin_accounts(cohort: Cohort) -> list[CreatorAccount]:
    return list(stage.accounts_of(cohort, Platform.DOUYIN))


def consent(cohort: Cohort, clock: DemoClock, vendor: Vendor, *, by: User, say: stage.Say) -> None:
    """All but those of the county that counts by hand."""
    at = clock.at(clock.joins_douyin_on)
    vendor.set_clock(at)
    willing = stage.accounts_of(cohort, Platform.DOUYIN).exclude(trainee__county_id=COUNTS_BY_HAND)
    stage.consent(willing, at, vendor, by=by, say=say)


def count_by_hand(cohort: Cohort, clock: DemoClock, *, say: stage.Say) -> None:
    """The county's clerk writes down what the app shows on two days, uploads the workbook and confirms it."""
    region = Region.objects.get(code=COUNTS_BY_HAND)
    if FiguresImport.objects.filter(region=region, state="applied").exists():
        return
    clerk = User.objects.get(username="clerk")
    accounts = [account for account in douyin_accounts(cohort) if account.trainee.county_id == region.pk]
    file = figures_workbook(region, accounts, [clock.douyin_days[0], clock.built_on], clock)
    figures = upload_figures(file, region=region, by=clerk, name=f"{region.name}-抖音粉丝数.xlsx")
    stage.wait_for_job(figures.job)
    figures.refresh_from_db()
    apply_figures(figures, by=clerk, at=timezone.now())
    say(f"  {figures.file_name}: {figures.new_count} figures of {len(accounts)} accounts")


def figures_workbook(region: Region, accounts: list[CreatorAccount], days: list[date], clock: DemoClock) -> BytesIO:
    """What a county mails: title, 填报单位, header, a line an account and day, a total."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": datetime(clock.built_on.year, clock.built_on.month, clock.built_on.day)})
    sheet = book.add_worksheet("粉丝数")
    lines = [(account, day) for account in accounts for day in days]
    for row, words in enumerate([["学员抖音账号粉丝数统计表"], [f"填报单位：{region.name}农业农村局"], HEADERS]):
        for column, word in enumerate(words):
            sheet.write_string(row, column, word)
    for n, (account, day) in enumerate(lines, 1):
        curve = Curve.from_json(stage.creator(account, clock)["curve"])
        sheet.write_number(2 + n, 0, n)
        sheet.write_string(2 + n, 1, account.trainee.name)
        sheet.write_string(2 + n, 2, account.handle)
        sheet.write_number(2 + n, 3, followers_on(curve, day))
        sheet.write_string(2 + n, 4, day.isoformat())
    sheet.write_string(3 + len(lines), 0, "合计")
    book.close()
    buffer.seek(0)
    return buffer
