"""Django's, with its own template language and the same queries as the others."""

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from ..peers import SECRET, TEMPLATES
from .queries import MESSAGE, Sync

settings.configure(
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=sys.modules[__name__],
    INSTALLED_APPS=[],
    LOGGING_CONFIG=None,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(TEMPLATES)]}],
)
django.setup()
database = Sync()

urlpatterns = [
    path("", lambda request: HttpResponse("Hello")),
    path("json", lambda request: JsonResponse(MESSAGE)),
    path("db", lambda request: JsonResponse(database.world())),
    path("queries", lambda request: JsonResponse(database.worlds(), safe=False)),
    path("updates", lambda request: JsonResponse(database.updated(), safe=False)),
    path("fortunes", lambda request: render(request, "fortunes.html", {"fortunes": database.fortunes()})),
]
app = get_wsgi_application()
