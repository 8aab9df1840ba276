"""From a store's address in the settings to the store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from campuswatch.errors import UserError
from campuswatch.secrets import SecretError, resolve
from campuswatch.settings import StoreSettings
from campuswatch.stores.base import Store

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
            from campuswatch.stores.sharing import open_shared  # noqa: PLC0415 - loads DuckDB

            return open_shared(_file(settings.url, data_dir))
        case "influxdb" | "influxdb+https":
            return _influxdb(address, settings)
    raise UserError(f"store url {settings.url!r}: {_EXPECTED}")


def _file(url: str, data_dir: Path) -> Path:
    name = url.removeprefix("duckdb:")
    if not name:
        raise UserError(f"store url {url!r}: {_EXPECTED}")
    path = data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _influxdb(address: SplitResult, settings: StoreSettings) -> Store:
    from campuswatch.stores.influxdb import InfluxDBStore  # noqa: PLC0415 - loads its client

    bucket = unquote(address.path.strip("/"))
    if "@" in address.netloc:
        raise UserError(f"store url: {_EXPECTED}; user, password or token go to store.token")
    if not address.hostname or not bucket:
        raise UserError(f"store url {settings.url!r}: {_EXPECTED}")
    try:
        port = address.port or 8086
    except ValueError:
        raise UserError(f"store url {settings.url!r}: expected a port from 1 to 65535") from None
    options = parse_qs(address.query)
    if unknown := options.keys() - {"org"}:
        raise UserError(f"store url {settings.url!r}: unknown option {min(unknown)!r}; known: org")
    scheme = "https" if address.scheme.endswith("https") else "http"
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    try:
        token = None if settings.token is None else resolve(settings.token)
    except SecretError as error:
        raise UserError(f"store.token: {error}") from None
    return InfluxDBStore(
        f"{scheme}://{host}:{port}", bucket, org=options.get("org", [""])[0], token=token
    )
