"""The words of notifications, in English and in Simplified Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.incidents import Scope
from campuswatch.language import Language


@dataclass(frozen=True)
class Wording:
    """Format strings of one language.

    Attributes:
        language: which one.
        problem: title of a new incident; takes `name`.
        recovery: title of an ended one; takes `name`.
        observed: what was seen at the beginning; takes `name`.
        ended: what was seen at the end; takes `name`.
        cause: where to look; takes `uplink` for a device behind another.
        top_cause: where to look for a device with nothing above it.
        titled: a title and its school; takes `title` and `school`.
        described: a device; takes `name`, `kind` and `address`.
        addressless: a device without an address; takes `name` and `kind`.
        labels: what stands before a line's text; takes `text`.
        unknown: in place of a time nobody knows.
        lasted: an end and how long it took; takes `end` and `duration`.
        counts: numbers of things, by noun: one of them, several of them.
        list_of: rooms and seats, then names; takes `rooms`, `seats` and `names`.
        between: between names.
        more: names, and the `number` of others.
        removed: why an incident ended without a recovery.
        repeated: that a message may be one too many.
    """

    language: Language
    problem: Mapping[Scope, str]
    recovery: Mapping[Scope, str]
    observed: Mapping[Scope, str]
    ended: Mapping[Scope, str]
    cause: Mapping[Scope, str]
    top_cause: str
    titled: str
    described: str
    addressless: str
    labels: Mapping[str, str]
    unknown: str
    lasted: str
    counts: Mapping[str, tuple[str, str]]
    list_of: str
    between: str
    more: str
    removed: str
    repeated: str


_ENGLISH: Final = Wording(
    language=Language.EN,
    problem={
        Scope.DEVICE: "Down: {name}",
        Scope.AGENT: "Silent: agent {name}",
        Scope.PIPELINE: "Silent: every agent of {name}",
        Scope.STORE: "Blind: the store of {name} does not answer",
    },
    recovery={
        Scope.DEVICE: "Up again: {name}",
        Scope.AGENT: "Heard again: agent {name}",
        Scope.PIPELINE: "Heard again: agents of {name}",
        Scope.STORE: "Seeing again: the store of {name} answers",
    },
    observed={
        Scope.DEVICE: "{name} does not answer.",
        Scope.AGENT: "No readings arrive from agent {name}.",
        Scope.PIPELINE: "No readings arrive from any agent of {name}.",
        Scope.STORE: "The store can't be read, so nothing is known of any school of {name}.",
    },
    ended={
        Scope.DEVICE: "{name} answers again.",
        Scope.AGENT: "Readings arrive again from agent {name}.",
        Scope.PIPELINE: "Readings arrive again from agents of {name}.",
        Scope.STORE: "The readings of {name} can be read again.",
    },
    cause={
        Scope.DEVICE: "nothing above it explains this: "
        "look at the device, its power and its cable to {uplink}.",
        Scope.AGENT: "the agent, its computer, the school's power or its line to the district.",
        Scope.PIPELINE: "the broker, the collector or the district's own network.",
        Scope.STORE: "the store, its host or the way to it.",
    },
    top_cause="nothing is above it: look at the device, its power and its cable.",
    titled="{title} ({school})",
    described="{name} ({kind}, {address})",
    addressless="{name} ({kind})",
    labels={
        "what": "What: {text}",
        "where": "Where: {text}",
        "since": "Since: {text}",
        "until": "Until: {text}",
        "impact": "Impact: {text}",
        "unobserved": "Not observed: {text}",
        "cause": "Likely cause: {text}",
        "reason": "Observed: {text}",
        "reference": "Reference: {text}",
    },
    unknown="unknown",
    lasted="{end}, after {duration}",
    counts={
        "device": ("{number} device", "{number} devices"),
        "room": ("{number} room", "{number} rooms"),
        "seat": ("{number} seat", "{number} seats"),
        "day": ("{number} day", "{number} days"),
        "hour": ("{number} h", "{number} h"),
        "minute": ("{number} min", "{number} min"),
        "second": ("{number} s", "{number} s"),
    },
    list_of="{rooms} with {seats}: {names}",
    between=", ",
    more="{names} and {number} more",
    removed="It is no longer in the inventory, and so no longer watched.",
    repeated="This message may have reached you before.",
)

_CHINESE: Final = Wording(
    language=Language.ZH,
    problem={
        Scope.DEVICE: "故障：{name}",
        Scope.AGENT: "失联：采集代理 {name}",
        Scope.PIPELINE: "失联：{name}的全部采集代理",
        Scope.STORE: "监控中断：{name}的数据库无应答",
    },
    recovery={
        Scope.DEVICE: "恢复：{name}",
        Scope.AGENT: "恢复上报：采集代理 {name}",
        Scope.PIPELINE: "恢复上报：{name}的采集代理",
        Scope.STORE: "监控恢复：{name}的数据库已应答",
    },
    observed={
        Scope.DEVICE: "{name}无应答。",
        Scope.AGENT: "收不到采集代理 {name} 的数据。",
        Scope.PIPELINE: "收不到{name}任何采集代理的数据。",
        Scope.STORE: "无法读取数据库，{name}各学校的状况不明。",
    },
    ended={
        Scope.DEVICE: "{name}已恢复应答。",
        Scope.AGENT: "采集代理 {name} 的数据已恢复上报。",
        Scope.PIPELINE: "{name}的采集代理已恢复上报数据。",
        Scope.STORE: "已能重新读取{name}的数据。",
    },
    cause={
        Scope.DEVICE: "上级设备无法解释此故障，请检查设备本身、供电以及到{uplink}的线缆。",
        Scope.AGENT: "采集代理、其主机、学校供电或学校到区中心的线路。",
        Scope.PIPELINE: "消息代理、采集器或区中心网络。",
        Scope.STORE: "数据库、其主机或到数据库的网络。",
    },
    top_cause="没有上级设备，请检查设备本身、供电和线缆。",
    titled="{title}（{school}）",
    described="{name}（{kind}，{address}）",
    addressless="{name}（{kind}）",
    labels={
        "what": "情况：{text}",
        "where": "位置：{text}",
        "since": "开始：{text}",
        "until": "结束：{text}",
        "impact": "影响：{text}",
        "unobserved": "状况不明：{text}",
        "cause": "可能原因：{text}",
        "reason": "观测：{text}",
        "reference": "编号：{text}",
    },
    unknown="不详",
    lasted="{end}，持续 {duration}",
    counts={
        "device": ("{number} 台设备", "{number} 台设备"),
        "room": ("{number} 个房间", "{number} 个房间"),
        "seat": ("{number} 个座位", "{number} 个座位"),
        "day": ("{number} 天", "{number} 天"),
        "hour": ("{number} 小时", "{number} 小时"),
        "minute": ("{number} 分", "{number} 分"),
        "second": ("{number} 秒", "{number} 秒"),
    },
    list_of="{rooms}，{seats}：{names}",
    between="、",
    more="{names}，另有 {number} 个",
    removed="该对象已从资产清单中移除，不再监控。",
    repeated="这条消息可能是重复发送。",
)

WORDINGS: Final[Mapping[Language, Wording]] = {
    Language.EN: _ENGLISH,
    Language.ZH: _CHINESE,
}
"""The words by language."""
