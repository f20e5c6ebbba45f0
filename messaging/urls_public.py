"""Recipients' own pages."""

from django.urls import path

from messaging.views import public

app_name = "public_messaging"
urlpatterns = [
    path("<str:token>/", public.unsubscribe, name="unsubscribe"),
    path("<str:token>/preferences/", public.preferences, name="preferences"),
    path("<str:token>/view/", public.view, name="view"),
]
