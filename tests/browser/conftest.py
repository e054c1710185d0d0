"""A real Chromium against a live server. A page that logs an error or asks another host for anything fails its test."""

import os
import shutil
from pathlib import Path

import pytest
from django.db import connections

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PASSWORD = "correct horse"


def pytest_collection_modifyitems(items):
    """Every test here needs the browser, and a database that the server's thread sees."""
    for item in items:
        if "tests/browser" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture
def chromium(live_server, monkeypatch):
    """A browser for one test: Playwright's event loop must not outlive it, or no other test could have one."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("Chromium is not installed, and REQUIRE_BROWSER says it must be.")
        pytest.skip("Chromium is not installed.")
    from playwright.sync_api import sync_playwright

    # While the loop runs in this thread Django would refuse the database; the test still prepares its rows.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
        connections.close_all()  # inside the loop the test had connections of its own


@pytest.fixture
def visit(clean_cache, live_server, chromium):
    """``visit(user, width)`` gives a page where the user is logged in; its faults fail the test at the end."""
    faults, contexts = [], []

    def open_page(username="", *, width=390, scripts=True):
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            locale="zh-CN",
            is_mobile=width < 600,
            java_script_enabled=scripts,
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and faults.append(f"{page.url}: {m.text}"))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith((live_server.url, "data:", "blob:")) or faults.append(r.url))
        page.goto(live_server.url + "/")
        if username:
            page.fill("#id_login", username)
            page.fill("#id_password", PASSWORD)
            page.press("#id_password", "Enter")
            page.wait_for_load_state()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def shoot():
    """``shoot(page, name)`` keeps a picture to look at, where SCREENSHOTS names a folder for them."""
    folder = os.environ.get("SCREENSHOTS")

    def keep(page, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return keep


def fits(page) -> bool:
    """Whether nothing hangs out at the right. A phone's window grows with what hangs out; its screen does not."""
    return page.evaluate("document.documentElement.scrollWidth <= Math.min(window.innerWidth, screen.width)")
