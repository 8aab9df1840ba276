"""How one installation runs: broker, store, addresses. Not what the district owns.

Read from `settings.yaml` beside the inventory; every value can be overridden
by an environment variable, `CAMPUSWATCH_BROKER__URL` for `broker.url`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import (
    BaseSettings,
    SettingsConfigDict,
)

from campuswatch.secrets import SecretReference


class BrokerSettings(BaseModel):
    """The district's MQTT broker."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(default="mqtt://127.0.0.1:1883", pattern=r"^mqtts?://[^/]+$")
    embedded: bool = Field(
        default=False, description="Run a broker inside `campuswatch up`, at the url's address."
    )
    username: str | None = None
    password: SecretReference | None = None
    ca_file: Path | None = Field(default=None, description="Certificates to trust, PEM.")
    cert_file: Path | None = Field(default=None, description="Client certificate, PEM.")
    key_file: Path | None = Field(default=None, description="Its key, PEM.")


class StoreSettings(BaseModel):
    """Where readings are kept."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        default="duckdb:campuswatch.duckdb",
        description="duckdb:FILE below data_dir, or influxdb://host:8086/BUCKET?org=ORG "
        "(influxdb+https:// for TLS); for InfluxDB 1.x the bucket is the database.",
    )
    token: SecretReference | None = Field(
        default=None, description="API token (2.x, 3.x) or user:password (1.x)."
    )


class CollectorSettings(BaseModel):
    """How the collector batches; the defaults suit one InfluxDB on a few cores."""

    model_config = ConfigDict(extra="forbid")

    group: str = Field(default="collectors", description="Name of the shared subscription.")
    batch_lines: int = Field(default=20_000, ge=1)
    batch_delay: float = Field(default=0.5, gt=0, description="Longest wait for a batch, s.")
    receive_maximum: int = Field(
        default=500, ge=1, le=65535, description="Messages in flight without an acknowledgement."
    )


class ConsoleSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class Settings(BaseSettings):
    """Everything that `settings.yaml` may hold."""

    model_config = SettingsConfigDict(
        env_prefix="CAMPUSWATCH_", env_nested_delimiter="__", extra="forbid"
    )

    data_dir: Path = Field(default=Path("data"), description="Spools, DuckDB file, quarantine.")
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    collector: CollectorSettings = CollectorSettings()
    console: ConsoleSettings = ConsoleSettings()
