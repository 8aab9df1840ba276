"""For those who watch the watcher: liveness, readiness and Prometheus metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from campuswatch.stores.base import Store, StoreError, StoreUnavailableError
from console.judgements import Judgements
from targets.verdicts import CheckReport, CoverageVerdict, Verdict


def router(judgements: Judgements, store: Store) -> APIRouter:
    """Return `/healthz`, `/readyz` and `/metrics`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        try:
            await asyncio.to_thread(store.ping)
        except (StoreUnavailableError, StoreError) as error:
            return JSONResponse({"status": "store unavailable", "detail": str(error)}, 503)
        return JSONResponse({"status": "ok"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        registry = CollectorRegistry()
        registry.register(_Verdicts(await judgements.report()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


class _Verdicts(Collector):
    """A report as gauges."""

    def __init__(self, report: CheckReport) -> None:
        self._report = report

    def collect(self) -> Iterable[Metric]:
        yield self._schools()
        yield self._shares()
        yield self._seats()

    def _schools(self) -> Metric:
        metric = GaugeMetricFamily(
            "campuswatch_school_verdict",
            "1 for the verdict that a school's targets came to.",
            labels=["school", "verdict"],
        )
        for school in self._report.schools:
            for verdict in Verdict:
                metric.add_metric([school.id, verdict], float(school.verdict is verdict))
        return metric

    def _shares(self) -> Metric:
        metric = GaugeMetricFamily(
            "campuswatch_target_share_ratio",
            "What a target attained; low counts the unknown as failed, high as good.",
            labels=["school", "target", "bound"],
        )
        for school in self._report.schools:
            for target in school.targets:
                for bound in ("low", "high"):
                    percent: float | None = getattr(target.share, bound)
                    if percent is not None:
                        metric.add_metric([school.id, target.id, bound], percent / 100)
        return metric

    def _seats(self) -> Metric:
        metric = GaugeMetricFamily(
            "campuswatch_wifi_seats",
            "Seats by whether they have working Wi-Fi.",
            labels=["school", "target", "state"],
        )
        for school, target in self._coverage():
            for state in ("passing", "failing", "unknown"):
                metric.add_metric([school, target.id, state], getattr(target.seats, state))
        return metric

    def _coverage(self) -> Iterator[tuple[str, CoverageVerdict]]:
        for school in self._report.schools:
            for target in school.targets:
                if isinstance(target, CoverageVerdict):
                    yield school.id, target
