"""The API, version 1: what the pages show, as JSON. Keys are added over time, never renamed."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from campuswatch.inventory.models import Area, Inventory
from console.devices import DeviceNow, SchoolDevices
from console.judgements import Judgements
from targets.verdicts import CheckReport, SchoolVerdict, Verdict


class SchoolSummary(BaseModel):
    """One school in the list of all."""

    id: str
    name: str
    area: Area
    verdict: Verdict


class SchoolAnswer(BaseModel):
    """One school: its targets and its devices."""

    verdict: SchoolVerdict
    devices: SchoolDevices


class DeviceAnswer(BaseModel):
    """One device, and its school."""

    school: str
    device: DeviceNow


def router(inventory: Inventory, judgements: Judgements) -> APIRouter:
    """Return the API of a district."""
    routes = APIRouter(prefix="/api/v1")
    school_of = {device.id: school.id for school in inventory.schools for device in school.devices}

    @routes.get("/check")
    async def check() -> CheckReport:
        """Every school's targets; the same as `campuswatch check --json`."""
        return await judgements.report()

    @routes.get("/schools")
    async def schools() -> list[SchoolSummary]:
        """Every school with its verdict."""
        report = await judgements.report()
        return [
            SchoolSummary(id=found.id, name=found.name, area=found.area, verdict=found.verdict)
            for found in report.schools
        ]

    @routes.get("/schools/{school_id}")
    async def school(school_id: str) -> SchoolAnswer:
        """One school's targets and devices."""
        report = await judgements.report()
        for found in report.schools:
            if found.id == school_id:
                return SchoolAnswer(verdict=found, devices=await judgements.devices(school_id))
        raise HTTPException(404, f"no school {school_id!r}")

    @routes.get("/devices/{device_id}")
    async def device(device_id: str) -> DeviceAnswer:
        """One device: its state, since when, because of what, and what it said lately."""
        if device_id not in school_of:
            raise HTTPException(404, f"no device {device_id!r}")
        school_id = school_of[device_id]
        devices = (await judgements.devices(school_id)).devices
        return DeviceAnswer(
            school=school_id,
            device=next(found for found in devices if found.id == device_id),
        )

    return routes
