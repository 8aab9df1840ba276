"""The payload of Sparkplug B, as a protobuf message made from its description in code.

Field numbers and types are those of section 6.4 of the Sparkplug specification
3.0 (https://sparkplug.eclipse.org/specification/version/3.0/documents/sparkplug-specification-3.0.0.pdf);
what no sensor of a classroom uses (data sets, templates, metadata) is left out
and passes as unknown fields. A message made at run time spares a generated file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from edge_agents.sources.mqtt.messages import PayloadError, check_size

MAX_METRICS: Final = 2000
"""Metrics that a message may have."""

BOOLEAN: Final = 11
_SIGNED_BITS: Final = {1: 32, 2: 32, 3: 32, 4: 64}  # Int8 to Int32 fill an int_value

_PACKAGE: Final = "campuswatch.sparkplug"
_Type = descriptor_pb2.FieldDescriptorProto
_FieldRow = tuple[str, int, int]

_VALUES: Final[Sequence[_FieldRow]] = (
    ("int_value", 10, _Type.TYPE_UINT32),
    ("long_value", 11, _Type.TYPE_UINT64),
    ("float_value", 12, _Type.TYPE_FLOAT),
    ("double_value", 13, _Type.TYPE_DOUBLE),
    ("boolean_value", 14, _Type.TYPE_BOOL),
    ("string_value", 15, _Type.TYPE_STRING),
)
_METRIC: Final[Sequence[_FieldRow]] = (
    ("name", 1, _Type.TYPE_STRING),
    ("alias", 2, _Type.TYPE_UINT64),
    ("timestamp", 3, _Type.TYPE_UINT64),
    ("datatype", 4, _Type.TYPE_UINT32),
    ("is_historical", 5, _Type.TYPE_BOOL),
    ("is_null", 7, _Type.TYPE_BOOL),
)
_PROPERTY_VALUE: Final[Sequence[_FieldRow]] = (("string_value", 8, _Type.TYPE_STRING),)
_PAYLOAD: Final[Sequence[_FieldRow]] = (
    ("timestamp", 1, _Type.TYPE_UINT64),
    ("seq", 3, _Type.TYPE_UINT64),
)


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, rows: Sequence[_FieldRow]) -> Any:
    message = file.message_type.add(name=name)
    for field, number, kind in rows:
        message.field.add(
            name=field,
            number=number,
            type=kind,
            label=_Type.LABEL_OPTIONAL,
        )
    return message


def _part(message: Any, name: str, number: int, of: str, *, repeated: bool) -> None:
    label = _Type.LABEL_REPEATED if repeated else _Type.LABEL_OPTIONAL
    message.field.add(
        name=name,
        number=number,
        type=_Type.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{of}",
        label=label,
    )


def _payload_class() -> type[Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="campuswatch/sparkplug_b.proto", package=_PACKAGE, syntax="proto2"
    )
    _message(file, "PropertyValue", _PROPERTY_VALUE)
    properties = _message(file, "PropertySet", ())
    properties.field.add(name="keys", number=1, type=_Type.TYPE_STRING, label=_Type.LABEL_REPEATED)
    _part(properties, "values", 2, "PropertyValue", repeated=True)
    metric = _message(file, "Metric", _METRIC)
    _part(metric, "properties", 9, "PropertySet", repeated=False)
    metric.oneof_decl.add(name="value")
    for name, number, kind in _VALUES:
        metric.field.add(
            name=name,
            number=number,
            type=kind,
            label=_Type.LABEL_OPTIONAL,
            oneof_index=0,
        )
    payload = _message(file, "Payload", _PAYLOAD)
    _part(payload, "metrics", 2, "Metric", repeated=True)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


Payload: Final = _payload_class()
"""The message class of a payload."""


def read_payload(data: bytes) -> Any:
    """Return a payload.

    Raises:
        PayloadError: the bytes are none, or hold more than any device sends.
    """
    check_size(data)
    try:
        payload = Payload.FromString(data)
    except DecodeError:
        raise PayloadError("not a Sparkplug B payload") from None
    if len(payload.metrics) > MAX_METRICS:
        raise PayloadError(f"{len(payload.metrics)} metrics: expected at most {MAX_METRICS}")
    return payload


def value_of(metric: Any, datatype: int) -> float | int | bool | str | None:
    """Return a metric's value; None if it is null or of a kind that is not read.

    Args:
        metric: the metric.
        datatype: as its birth gave it; negative integers are two's complement.
    """
    which = metric.WhichOneof("value")
    if metric.is_null or which is None:
        return None
    value: float | int | bool | str = getattr(metric, which)
    bits = _SIGNED_BITS.get(datatype)
    if bits is not None and isinstance(value, int) and value >= 1 << (bits - 1):
        return value - (1 << bits)
    return value


def unit_of(metric: Any) -> str:
    """Return the engineering unit that a birth's properties name; "" if none."""
    properties = metric.properties
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == "engUnit":
            return str(value.string_value)[:20]
    return ""


def rebirth_command(now: int) -> bytes:
    """Return the payload that asks an edge node for its birth (section 6.4.25).

    Args:
        now: nanoseconds UTC.
    """
    payload = Payload(timestamp=now // 1_000_000)
    payload.metrics.add(name="Node Control/Rebirth", datatype=BOOLEAN, boolean_value=True)
    data: bytes = payload.SerializeToString()
    return data
