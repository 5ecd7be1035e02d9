"""Django, with its own template language; only the middleware that a scenario needs."""

from __future__ import annotations

import json as stdlib_json
import warnings
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.static import serve

from . import ROWS, SECRET, STATIC, TEMPLATES

settings.configure(
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=None,
    INSTALLED_APPS=[],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    LOGGING_CONFIG=None,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(TEMPLATES)]}],
)
django.setup()
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

MIDDLEWARE = {
    "session": ["django.contrib.sessions.middleware.SessionMiddleware"],
    "hooks": [f"{__name__}.around"] * 5,
}


def around(get_response):
    """The hooks before and after each request, in Django's form: one function around it."""

    def middleware(request):
        return get_response(request)

    return middleware


def around_async(get_response):
    async def middleware(request):
        return await get_response(request)

    return middleware


around_async.async_capable = True  # type: ignore[attr-defined]  # Django asks functions for it
around_async.sync_capable = False  # type: ignore[attr-defined]


class SyncViews:
    """The URLs of the WSGI application."""

    def hello(request):
        return HttpResponse("Hello")

    def json(request):
        return JsonResponse({"message": "Hello", "numbers": [1, 2, 3]})

    def params(request, id, slug):
        return HttpResponse(f"{id} {slug} {request.GET['page']}")

    def form(request):
        return HttpResponse(f"{request.POST['name']} {request.POST['city']}")

    def postjson(request):
        data = stdlib_json.loads(request.body)
        return JsonResponse({"name": data["name"], "count": len(data["tags"])})

    def upload(request):
        size = len(request.FILES["file"].read())
        return HttpResponse(f"{request.POST['title']} {request.POST['tag']} {size}")

    def visits(request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return HttpResponse(f"visits: {request.session['visits']}")

    def template(request):
        return render(request, "page.html", {"title": "Rows", "rows": ROWS})

    def abort(request):
        raise PermissionDenied

    def hooked(request):
        return HttpResponse("hooked")


class AsyncViews:
    """The URLs of the ASGI application."""

    async def hello(request):
        return HttpResponse("Hello")

    async def json(request):
        return JsonResponse({"message": "Hello", "numbers": [1, 2, 3]})

    async def params(request, id, slug):
        return HttpResponse(f"{id} {slug} {request.GET['page']}")

    async def form(request):
        return HttpResponse(f"{request.POST['name']} {request.POST['city']}")

    async def postjson(request):
        data = stdlib_json.loads(request.body)
        return JsonResponse({"name": data["name"], "count": len(data["tags"])})

    async def upload(request):
        size = len(request.FILES["file"].read())
        return HttpResponse(f"{request.POST['title']} {request.POST['tag']} {size}")

    async def visits(request):
        number = await request.session.aget("visits", 0) + 1
        await request.session.aset("visits", number)
        return HttpResponse(f"visits: {number}")

    async def template(request):
        return render(request, "page.html", {"title": "Rows", "rows": ROWS})

    async def abort(request):
        raise PermissionDenied

    async def hooked(request):
        return HttpResponse("hooked")


class Urls:
    """The URL module that Django requires."""

    def __init__(self, views: Any) -> None:
        self.urlpatterns = [
            path("", views.hello),
            path("json", views.json),
            path("user/<int:id>/post/<slug:slug>", views.params),
            path("form", views.form),
            path("postjson", views.postjson),
            path("upload", views.upload),
            path("session", views.visits),
            path("template", views.template),
            path("abort", views.abort),
            path("static/<path:path>", serve, {"document_root": STATIC}),
            path("outer/", include([path("inner/", include([path("", views.hooked)]))])),
        ]
        # Django's error handlers are for 400, 403, 404 and 500; this one responds like those of the other peers.
        self.handler403 = lambda request, exception: HttpResponse("teapot", status=418)


def configure(scenario: str, views: Any) -> None:
    settings.MIDDLEWARE = MIDDLEWARE.get(scenario, [])
    settings.ROOT_URLCONF = Urls(views)


def wsgi(scenario: str) -> Any:
    configure(scenario, SyncViews)
    return get_wsgi_application()


def asgi(scenario: str) -> Any:
    configure(scenario, AsyncViews)
    if scenario == "hooks":
        settings.MIDDLEWARE = [f"{__name__}.around_async"] * 5
    return get_asgi_application()
