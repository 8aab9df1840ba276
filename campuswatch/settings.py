"""How one installation runs: broker, store, addresses. Not what the district owns.

Read from `settings.yaml` beside the inventory; every value can be overridden
by an environment variable, `CAMPUSWATCH_BROKER__URL` for `broker.url`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from campuswatch.errors import UserError
from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import BrokerUrl, Duration, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.secrets import SecretReference

SETTINGS_FILE: Final = "settings.yaml"
_PREFIX: Final = "CAMPUSWATCH_"
_NESTED: Final = "__"


class BrokerSettings(BaseModel):
    """The district's MQTT broker."""

    model_config = ConfigDict(extra="forbid")

    url: BrokerUrl = "mqtt://127.0.0.1:1883"
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


class BandwidthSettings(BaseModel):
    """The endpoint that schools measure their lines against."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(default="0.0.0.0", description="Address to listen at.")  # noqa: S104
    port: int = Field(default=8090, ge=0, le=65535)
    bytes: int = Field(
        default=100_000_000, ge=10_000, description="Most that one transfer may move."
    )
    transfers: int = Field(
        default=2, ge=1, le=100, description="Transfers at a time; others are turned away."
    )


class CollectorSettings(BaseModel):
    """How the collector batches; the defaults suit one InfluxDB on a few cores."""

    model_config = ConfigDict(extra="forbid")

    id: Slug | None = Field(
        default=None,
        description="Name of this collector, the same over restarts and no other's; the "
        "host's name when omitted.",
    )
    group: str = Field(default="collectors", description="Name of the shared subscription.")
    batch_lines: int = Field(
        default=5_000, ge=1, description="Lines of a full write; what InfluxData advises."
    )
    batch_delay: float = Field(default=0.5, gt=0, description="Longest wait for a batch, s.")
    receive_maximum: int = Field(
        default=500, ge=1, le=65535, description="Messages in flight without an acknowledgement."
    )
    writers: int = Field(default=2, ge=1, le=64, description="Writes to the store at a time.")
    quarantine_bytes: int = Field(
        default=100_000_000, ge=1_000_000, description="Bound of the refused lines kept on disk."
    )
    bandwidth: BandwidthSettings | None = Field(
        default=None,
        description="Where schools measure their lines; {} serves it at port 8090. There is no "
        "sign-in: let only schools reach it.",
    )


class ConsoleSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    notice: str | None = Field(
        default=None, max_length=500, description="A sentence on top of every page."
    )


class AlertsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    database: SecretReference | None = Field(
        default=None,
        description="SQLAlchemy URL of the journal's database; a SQLite file below data_dir "
        "when omitted.",
    )


class AgentConfigurationSettings(BaseModel):
    """How an agent takes its part of the inventory from the district."""

    model_config = ConfigDict(extra="forbid")

    public_key: SecretReference | None = Field(
        default=None,
        description="The district's public key, PEM, from `campuswatch keys create`; nothing "
        "that is pushed is used without it.",
    )
    trial: Duration = Field(
        default=dt.timedelta(minutes=5),
        description="Time in which devices that answered before have to answer again, or the "
        "agent goes back to the configuration before.",
    )
    district: Slug | None = Field(
        default=None, description="The agent's district; for an agent without an inventory."
    )
    school: Slug | None = Field(default=None, description="Its school; likewise.")


class SettingsFile(BaseModel):
    """Everything that `settings.yaml` may hold."""

    model_config = ConfigDict(extra="forbid")

    data_dir: Path = Field(default=Path("data"), description="Spools, DuckDB file, quarantine.")
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    collector: CollectorSettings = CollectorSettings()
    alerts: AlertsSettings = AlertsSettings()
    console: ConsoleSettings = ConsoleSettings()
    agent_configuration: AgentConfigurationSettings = AgentConfigurationSettings()


class Settings(SettingsFile, BaseSettings):
    """The settings in force: the file's, overridden by the environment."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter=_NESTED, extra="forbid"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and read nothing else."""
        return env_settings, init_settings


def load_settings(directory: Path) -> Settings:
    """Read `settings.yaml` of a directory; without one the defaults hold.

    Raises:
        UserError: the file, or a variable that overrides it, is wrong.
    """
    path = directory / SETTINGS_FILE
    given = SettingsFile()
    if path.exists():
        given = validate_document(read_document(path), SettingsFile)
    try:
        return Settings(**given.model_dump(exclude_unset=True))
    except ValidationError as error:
        faults = (
            f"environment variable {_variable(fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise UserError("\n".join(faults)) from None


def _variable(location: tuple[str | int, ...]) -> str:
    return _PREFIX + _NESTED.join(str(part).upper() for part in location)
