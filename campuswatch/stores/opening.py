"""From a store's address in the settings to the store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from campuswatch.errors import UserError
from campuswatch.settings import StoreSettings
from campuswatch.stores.base import Store
from campuswatch.stores.sharing import open_shared

_EXPECTED = "expected duckdb:FILE or influxdb://HOST:8086/BUCKET?org=ORG"


def open_store(settings: StoreSettings, data_dir: Path) -> Store:
    """Open the store that the settings name.

    A DuckDB file that another process holds is read through that process. An
    InfluxDB is not contacted before the first write or query.

    Raises:
        UserError: the address or the token's reference is wrong.
        StoreUnavailableError: the DuckDB file is held by a process that does
            not answer.
        StoreError: the file is no DuckDB file.
    """
    address = urlsplit(settings.url)
    match address.scheme:
        case "duckdb":
            return open_shared(_file(settings.url, data_dir))
    raise UserError(f"store url {settings.url!r}: {_EXPECTED}")


def _file(url: str, data_dir: Path) -> Path:
    name = url.removeprefix("duckdb:")
    if not name:
        raise UserError(f"store url {url!r}: {_EXPECTED}")
    path = data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
