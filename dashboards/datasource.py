"""The data source through which the dashboards read the store."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from campuswatch.errors import UserError
from campuswatch.secrets import resolve
from campuswatch.settings import StoreSettings
from dashboards.names import DATASOURCE_NAME, DATASOURCE_TYPE, DATASOURCE_UID


def data_source(store: StoreSettings, url: str | None = None) -> dict[str, Any]:
    """Return the data source that reads a store, with its token, as Grafana's API takes it.

    InfluxDB 2.x and 3.x answer InfluxQL to who sends the token as a header,
    which Grafana keeps encrypted.

    Args:
        store: where the readings are.
        url: http(s)://HOST:PORT by which Grafana reaches the store, if it is
            another than the settings'.

    Raises:
        UserError: the store is no InfluxDB.
        SecretError: the token is not where its reference says.
    """
    address = urlsplit(store.url)
    if address.scheme not in {"influxdb", "influxdb+https"}:
        raise UserError(
            f"store url {store.url!r}: Grafana can't read it; "
            "expected influxdb://HOST:8086/BUCKET?org=ORG"
        )
    scheme = "https" if address.scheme.endswith("https") else "http"
    source: dict[str, Any] = {
        "uid": DATASOURCE_UID,
        "name": DATASOURCE_NAME,
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": url or f"{scheme}://{address.netloc}",
        "jsonData": {
            "version": "InfluxQL",
            "dbName": unquote(address.path.strip("/")),
            "httpMode": "POST",
        },
    }
    if store.token is not None:
        source["jsonData"]["httpHeaderName1"] = "Authorization"
        source["secureJsonData"] = {"httpHeaderValue1": f"Token {resolve(store.token)}"}
    return source
