"""All settings, in one file, read from the environment.

Nothing needs to be set to develop: embedded PostgreSQL and Valkey are used, with throw-away keys. With
``DJANGO_PRODUCTION=1`` every secret must be given, and the process refuses to start without them.
"""

import os
import re
from pathlib import Path

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from incubator import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = embedded.var_dir()

env = environ.Env()
PRODUCTION = env.bool("DJANGO_PRODUCTION", default=False)
if not PRODUCTION:
    # A command typed beside ``make run`` means the same demo, platform and address as the running programs.
    for name, value in embedded.runner_environment(VAR_DIR).items():
        os.environ.setdefault(name, value)
DEMO = env.bool("INCUBATOR_DEMO", default=False)
DEBUG = env.bool("DJANGO_DEBUG", default=False)


def secret(name: str, *, development: str) -> str:
    """The secret ``name`` of the environment; outside production a throw-away value stands in for it."""
    value = env.str(name, default="")
    if PRODUCTION and value in ("", development):
        raise ImproperlyConfigured(f"{name} is not set. In production every secret must be given by the environment.")
    return value or development


if PRODUCTION and (DEBUG or DEMO):
    raise ImproperlyConfigured("DJANGO_DEBUG and INCUBATOR_DEMO must be off in production.")

SECRET_KEY = secret("DJANGO_SECRET_KEY", development="development-only-" + "x" * 50)
# Personal data: one key encrypts, another finds (blind index), so that neither alone tells who is in the table.
PERSONAL_DATA_KEY = secret("PERSONAL_DATA_KEY", development="0" * 63 + "1")
PERSONAL_INDEX_KEY = secret("PERSONAL_INDEX_KEY", development="0" * 63 + "2")
PERSONAL_DATA_OLD_KEYS = env.list("PERSONAL_DATA_OLD_KEYS", default=[])  # open only, until `rotate_keys` has run

PUBLIC_URL = env.str("INCUBATOR_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# What certificates and credentials say for years: QR codes, ids, and the name of who signs (did:web). It never changes.
CREDENTIAL_BASE_URL = env.str("CREDENTIAL_BASE_URL", default="" if PRODUCTION else PUBLIC_URL).rstrip("/")
if PRODUCTION and not CREDENTIAL_BASE_URL:
    raise ImproperlyConfigured("CREDENTIAL_BASE_URL is not set. It is printed on certificates and must never change.")
if PRODUCTION and not re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]+)?", CREDENTIAL_BASE_URL):
    raise ImproperlyConfigured("CREDENTIAL_BASE_URL must be https:// and a host, without a path.")
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("DJANGO_ALLOWED_HOSTS is not set. Name the hosts this site answers to.")

# From the highest room down. What they add to a person's page stands there from the lowest up: of two strangers the one
# named last comes first, as things come in life (classes, followers, grants, certificates).
INSTALLED_APPS = [
    "incubator.demo",
    "incubator.portal",
    "incubator.reports",
    "incubator.duplicates",
    "incubator.forecasts",
    "incubator.certificates",
    "incubator.credentials",
    "incubator.rosters",
    "incubator.figures",
    "incubator.classbooks",
    "incubator.certification",
    "incubator.grants",
    "incubator.metrics",
    "courses",
    "incubator.programmes",
    "trainees",
    "incubator.exports",
    "incubator.jobs",
    "incubator.accounts",
    "incubator.regions",
    "incubator.common",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "incubator.common.desk_app.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_celery_beat",
    "import_export",  # lists become files through its resources; nothing is imported by it: it knows no regions
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "incubator.common.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "incubator.urls"
WSGI_APPLICATION = "incubator.wsgi.application"
ASGI_APPLICATION = "incubator.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "incubator.portal.consent.consent_notices",
            ],
        },
    },
]

# --- Database and broker ---------------------------------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default=embedded.database_url(VAR_DIR))}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
# A folder of sockets comes as an option of the address; ``manage.py dbshell`` looks for it here.
DATABASES["default"]["HOST"] = DATABASES["default"].get("OPTIONS", {}).pop("host", DATABASES["default"]["HOST"])
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must name a PostgreSQL database (postgres://…); nothing else is supported."
    )
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": embedded.cache_url_of(REDIS_URL) if REDIS_URL else embedded.cache_url(VAR_DIR),
        "KEY_PREFIX": "incubator",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Background work -------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or embedded.broker_url(VAR_DIR)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_SOFT_TIME_LIMIT = 1740
# The visibility time-out must exceed the hard time limit, or a long task starts twice. Lost messages come back far
# sooner: the sweeper reads the job rows, which are the truth.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep jobs": {"task": "jobs.sweep", "schedule": 10.0},
    "clear results": {"task": "jobs.clear_results", "schedule": crontab(minute=20)},
    "keep support periods": {"task": "programmes.keep_support", "schedule": crontab(hour=0, minute=5)},
    "make months of readings": {"task": "metrics.ensure_partitions", "schedule": crontab(hour=1, minute=0)},
    "remind of consents": {"task": "metrics.remind_consents", "schedule": crontab(hour=1, minute=0)},
    "refresh followers": {"task": "metrics.refresh_today", "schedule": crontab(hour=2, minute=0)},
    "check freshness": {"task": "metrics.check_freshness", "schedule": crontab(minute="*/10")},
    "count coverage": {"task": "metrics.count_coverage", "schedule": crontab(minute="5-59/10")},
    "find duplicates": {"task": "duplicates.find_pairs", "schedule": crontab(hour=5, minute=0)},
    "forget what merges kept": {"task": "duplicates.forget_merges", "schedule": crontab(hour=1, minute=30)},
    "issue missing credentials": {"task": "credentials.issue_missing", "schedule": crontab(minute="*/10")},
    "evaluate what changed": {"task": "certification.evaluate_changes", "schedule": crontab(minute=40)},
    "evaluate certification": {"task": "certification.evaluate_today", "schedule": crontab(hour=6, minute=0)},
    "forecast": {"task": "forecasts.forecast_today", "schedule": crontab(hour=6, minute=30)},
}
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=30)
EXPORTS_KEPT_DAYS = env.int("EXPORTS_KEPT_DAYS", default=3)  # the files of long lists, which lie sealed

# --- People who log in -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "incubator.accounts.adapters.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = reverse_lazy("account_login")

# --- Platforms -------------------------------------------------------------------------------------------------------

KUAISHOU_BASE_URL = env.str("KUAISHOU_BASE_URL", default="https://open.kuaishou.com").rstrip("/")
KUAISHOU_APP_ID = secret("KUAISHOU_APP_ID", development="ks-simulated-app")
KUAISHOU_APP_SECRET = secret("KUAISHOU_APP_SECRET", development="simulated-secret")
KUAISHOU_RATE_PER_SECOND = env.float("KUAISHOU_RATE_PER_SECOND", default=0.0 if DEMO else 5.0)
KUAISHOU_DAILY_BUDGET = env.int("KUAISHOU_DAILY_BUDGET", default=100_000)
KUAISHOU_CALLS_PER_ACCOUNT = env.int("KUAISHOU_CALLS_PER_ACCOUNT", default=4)
DOUYIN_BASE_URL = env.str("DOUYIN_BASE_URL", default=KUAISHOU_BASE_URL if DEMO else "https://open.douyin.com").rstrip(
    "/"
)
DOUYIN_CLIENT_KEY = secret("DOUYIN_CLIENT_KEY", development="dy-simulated-app")
DOUYIN_CLIENT_SECRET = secret("DOUYIN_CLIENT_SECRET", development="simulated-secret-dy")
DOUYIN_RATE_PER_SECOND = env.float("DOUYIN_RATE_PER_SECOND", default=0.0 if DEMO else 5.0)
DOUYIN_DAILY_BUDGET = env.int("DOUYIN_DAILY_BUDGET", default=100_000)
DOUYIN_CALLS_PER_ACCOUNT = env.int("DOUYIN_CALLS_PER_ACCOUNT", default=4)

READINGS_KEEP_MONTHS = env.int("READINGS_KEEP_MONTHS", default=0)  # 0: for ever

# When readings count as stale, see docs/running.md, "Alarms".
ALARM_START_HOUR = env.int("ALARM_START_HOUR", default=4)  # o'clock by which the night's refresh has started
ALARM_RUN_HOURS = env.int("ALARM_RUN_HOURS", default=8)  # a day's 100,000 calls at 5 a second take 5.6 hours
ALARM_COVERAGE_DAYS = env.int("ALARM_COVERAGE_DAYS", default=7)
ALARM_COVERAGE_PERCENT = env.int("ALARM_COVERAGE_PERCENT", default=90)
COVERAGE_KEPT_SECONDS = env.int(
    "COVERAGE_KEPT_SECONDS", default=300
)  # a region's table of coverage is kept so long; 0: not

# Nobody attends a class of the same kind and level twice within so many years; 0: no limit.
TRAINING_REPEAT_YEARS = env.int("TRAINING_REPEAT_YEARS", default=2)
# Marks may be appealed against until so many days after the day on which they were given.
TRAINING_APPEAL_DAYS = env.int("TRAINING_APPEAL_DAYS", default=7)

# From which chance of reaching the number in time somebody is on course, within reach, in need of help; below the last
# out of reach. The reasons are in docs/forecast.md.
FORECAST_BANDS = [float(edge) for edge in env.list("FORECAST_BANDS", default=["0.7", "0.3", "0.05"])]
if len(FORECAST_BANDS) != 3 or not 1 > FORECAST_BANDS[0] > FORECAST_BANDS[1] > FORECAST_BANDS[2] > 0:
    raise ImproperlyConfigured("FORECAST_BANDS must be three falling chances between 1 and 0, such as 0.7,0.3,0.05.")
CERTIFICATE_OBJECTION_DAYS = env.int("CERTIFICATE_OBJECTION_DAYS", default=30)  # to object to a withdrawal
CERTIFICATES_KEPT_DAYS = env.int("CERTIFICATES_KEPT_DAYS", default=7)  # the file of a ceremony; it can be made anew

# How often in an hour one person may have an ID number or a phone shown in full.
REVEALS_PER_HOUR = env.int("REVEALS_PER_HOUR", default=30)

# --- Language, time, files -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "vendor"]  # vendor: packages that ship no Chinese
USE_I18N = True
FORMAT_MODULE_PATH = ["incubator.formats"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "incubator" / "static"]
# Without a collected folder (development, tests) whitenoise serves straight from the apps.
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "files"  # uploads and result files: never served by URL, only by views that check who asks
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# --- Safety ----------------------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # HTTP clients write whole URLs at INFO, and the platform's secrets travel in the query string.
        "aiohttp": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "django.db.backends": {"level": "INFO"},  # at DEBUG every statement with its values
    },
}
# Beside this every record is masked, whoever writes it (incubator.common.logs); the report of an error names no value.
DEFAULT_EXCEPTION_REPORTER = "incubator.common.logs.MaskedReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "incubator.common.logs.PersonalDataFilter"

from incubator.desk import UNFOLD  # noqa: E402, F401
