"""The pages: the district at a glance, and one school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from campuswatch.inventory.models import Inventory
from campuswatch.language import Language
from campuswatch.readings import now_ns
from campuswatch.settings import ConsoleSettings
from console import views
from console.judgements import Judgements
from console.language import Words, preferred
from targets.verdicts import utc

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["told"] = views.told


def router(inventory: Inventory, settings: ConsoleSettings, judgements: Judgements) -> APIRouter:
    """Return the pages of a district."""
    routes = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @routes.get("/")
    async def district(request: Request) -> Response:
        report = await judgements.report()
        page = _Page(request, inventory, settings, report.generated)
        found = views.problems(report.schools)
        return page.render(
            "district.html",
            tiles=views.tiles(report, found),
            problems=found,
            schools=[
                (school, views.targets(school, inventory), inventory.school(school.id))
                for school in views.worst_first(report.schools)
            ],
        )

    @routes.get("/schools/{school_id}")
    async def school(request: Request, school_id: str) -> Response:
        report = await judgements.report()
        verdict = next((found for found in report.schools if found.id == school_id), None)
        if verdict is None:
            raise HTTPException(404)
        page = _Page(request, inventory, settings, report.generated)
        owner = inventory.school(school_id)
        devices = await judgements.devices(school_id)
        return page.render(
            "school.html",
            zone=inventory.zone_of(owner),
            school=verdict,
            owner=owner,
            targets=views.targets(verdict, inventory),
            problems=views.problems([verdict]),
            rooms=views.rooms(verdict),
            devices=views.by_state(devices),
            victims=views.victims(devices),
            room_names=views.room_names(owner),
            device_names={device.id: device.name for device in owner.devices},
        )

    return routes


def message(
    request: Request, inventory: Inventory, settings: ConsoleSettings, status: int, key: str
) -> Response:
    """Return a page that says one thing, by the key of its words."""
    return _Page(request, inventory, settings, now_ns()).render("message.html", status, message=key)


class _Page:
    """One answer: its language, its clock, and what every template needs."""

    def __init__(
        self, request: Request, inventory: Inventory, settings: ConsoleSettings, now: int
    ) -> None:
        chosen = request.query_params.get("lang")
        self._language = preferred(chosen, request.headers.get("accept-language", ""))
        self._words = Words(self._language)
        self._request = request
        self._inventory = inventory
        self._settings = settings
        self._now = now

    def render(
        self, template: str, status: int = 200, zone: ZoneInfo | None = None, **content: Any
    ) -> HTMLResponse:
        zone = zone or ZoneInfo(self._inventory.district.timezone)
        shared: dict[str, Any] = {
            "t": self._words,
            "name": self._words.name,
            "clock": self._clock(zone),
            "age": self._age,
            "duration": self._words.duration,
            "window_seconds": views.window_seconds,
            "link": self._link,
            "district": self._inventory.district,
            "notice": self._settings.notice,
            "languages": [(language, self._here(language)) for language in Language],
            "now": self._now,
        }
        html = _ENVIRONMENT.get_template(template).render(shared | content)
        return HTMLResponse(html, status, headers={"Content-Language": self._language})

    def _clock(self, zone: ZoneInfo) -> Callable[[int], str]:
        today = utc(self._now).astimezone(zone).date()

        def clock(instant: int) -> str:
            moment = utc(instant).astimezone(zone)
            if moment.date() == today:
                return f"{moment:%H:%M:%S}"
            return f"{moment:%Y-%m-%d %H:%M}"

        return clock

    def _age(self, instant: int) -> str:
        span = dt.timedelta(microseconds=(self._now - instant) // 1000)
        return self._words.duration(span.total_seconds())

    def _link(self, path: str) -> str:
        """Return an address that keeps the language the reader has chosen."""
        if "lang" in self._request.query_params:
            return f"{path}?lang={self._language}"
        return path

    def _here(self, language: Language) -> str:
        return f"{self._request.url.path}?lang={language}"
