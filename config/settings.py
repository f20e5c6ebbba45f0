"""One settings file, read from the environment.

`./onward run` writes what it chose (database, broker, secrets, addresses) into `var/env`, so that
`manage.py` commands beside a running product find the same services. The environment wins.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(VAR_DIR / "env", overwrite=False)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="set-by-onward-run-or-the-environment")
# Keys for secrets at rest, newest first (MultiFernet); rotated by `manage.py rotate_secrets`.
SECRETS_KEYS = env.list("SECRETS_KEYS", default=[])

# Who may start a company of her own: everybody ("open"), or only the installation's staff.
IS_SIGNUP_OPEN = env("SIGNUP", default="closed") == "open"

PUBLIC_URL = env("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
TRACKING_URL = env("TRACKING_URL", default="http://127.0.0.1:8001").rstrip("/")
_public = urlsplit(PUBLIC_URL)
IS_HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_public.hostname or "127.0.0.1", "127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "insights",
    "integrations",
    "journeys",
    "scoring",
    "leads",
    "pages",
    "messaging",
    "segments",
    "contacts",
    "tenants",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "import_export",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tenants.middleware.TenantMiddleware",
]

ROOT_URLCONF = "config.urls"
TENANT_URLCONF = "config.urls_tenant"
WSGI_APPLICATION = "config.wsgi.application"

FORM_RENDERER = "tenants.forms.Renderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context.shell",
            ],
            "builtins": ["tenants.templatetags.ui", "template_partials.templatetags.partials"],
        },
    },
]

DATABASES = {
    "default": {
        # A server on a unix socket: postgres://onward@/onward?host=/run/postgresql
        **env.db_url("DATABASE_URL", default="postgres://onward@127.0.0.1:5432/onward"),
        "ENGINE": "tenants.postgres",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# The same database for `manage.py backup` and `restore`, by a role that row-level security does not bind.
BACKUP_DATABASE_URL = env("BACKUP_DATABASE_URL", default="")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The columns of an import's file (1,000 at most) are mapped by one form, which has a few fields beside.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_050

REDIS_URL = env("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL.startswith(("redis://", "rediss://", "unix://"))
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

AUTH_USER_MODEL = "tenants.User"
IS_TEST = "pytest" in sys.modules
if IS_TEST:
    # Slow on purpose elsewhere; the tests' people have no secrets, and each of them took a third of a second.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "tenants.accounts.AccountAdapter"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz"]
# Previews of e-mails and pages are frames of our own pages.
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]

_SELF = ["'self'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": _SELF,
        "script-src": _SELF,
        "style-src": _SELF,
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": _SELF,
        "connect-src": _SELF,
        "frame-src": _SELF,
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": _SELF,
        "frame-ancestors": _SELF,
    }
}

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:1025")
vars().update(EMAIL_CONFIG)
# Where mail of sample companies goes whatever EMAIL_URL says: the catcher that `./onward run` starts.
CATCHER_URL = env("CATCHER_URL", default="smtp://127.0.0.1:1025")
# Connections to the mail server that one sender opens at most.
EMAIL_CONNECTIONS = env.int("EMAIL_CONNECTIONS", default=4)
# Where calls to addresses that companies enter may go: these ports, and on this machine only these exact origins
# (stand-ins of partners, e.g. http://127.0.0.1:9009). SANDBOX_URL: where `./onward run` plays LinkedIn and Dynamics for
# whoever wants to try a connection; empty, as in a real deployment: no sandbox is offered.
OUTGOING_PORTS = env.list("OUTGOING_PORTS", cast=int, default=[443, 8443])
SANDBOX_URL = env("SANDBOX_URL", default="")
SANDBOX_ORIGINS = [*env.list("SANDBOX_ORIGINS", default=[]), *filter(None, [SANDBOX_URL])]
# Where Dynamics 365 gets its tokens: Entra ID; national clouds have addresses of their own.
DATAVERSE_LOGIN_URL = env("DATAVERSE_LOGIN_URL", default="https://login.microsoftonline.com")
# LinkedIn's API: a version lives for twelve months (LinkedIn answers 426 afterwards). PKCE only if it has been enabled
# for the app, since LinkedIn's token endpoint refuses it otherwise.
LINKEDIN_API_URL = env("LINKEDIN_API_URL", default="https://api.linkedin.com/rest")
LINKEDIN_AUTH_URL = env("LINKEDIN_AUTH_URL", default="https://www.linkedin.com/oauth/v2")
LINKEDIN_VERSION = env("LINKEDIN_VERSION", default="202607")
LINKEDIN_PKCE = env.bool("LINKEDIN_PKCE", default=False)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Onward <onward@localhost>")

# Files that the admin exports compute nothing in a spreadsheet; those of the lists see to it themselves.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticroot"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if IS_TEST
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = IS_TEST or DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = False

CELERY_BROKER_URL = env("BROKER_URL", default=REDIS_URL) or "memory://"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    # At DEBUG it would write addresses with their query, which may hold somebody's secret.
    "loggers": {"urllib3": {"level": "INFO"}},
}
