"""What Campuswatch's things are called in Grafana; by this it knows its own again."""

from __future__ import annotations

from typing import Final

FOLDER_UID: Final = "campuswatch"
FOLDER_TITLE: Final = "Campuswatch"
DATASOURCE_UID: Final = "campuswatch-influxdb"
DATASOURCE_NAME: Final = "Campuswatch"
DATASOURCE_TYPE: Final = "influxdb"
DASHBOARD_PREFIX: Final = "campuswatch-"
"""Beginning of the uid of every dashboard of ours."""
TAG: Final = "campuswatch"
"""Tag of every dashboard of ours; the links between them go by it."""
