"""One view, which sends mail as most do."""

from __future__ import annotations

from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.urls import path


def order(request: HttpRequest) -> HttpResponse:
    """Confirm an order."""
    sent = send_mail("Your order", "Thank you.\n", None, [request.GET["mail"]])
    return HttpResponse(f"sent {sent}")


urlpatterns = [path("order", order)]
