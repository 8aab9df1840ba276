"""The console's two languages: which one a reader wants, and the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from campuswatch.language import Language, Names, Pair, Phrasebook
from console.devices import DeviceState
from targets.verdicts import Limit, RoomState, Verdict


def preferred(chosen: str | None, accepted: str) -> Language:
    """Return the language to answer in.

    Args:
        chosen: what the address asks for, if anything.
        accepted: the Accept-Language header (RFC 9110, section 12.5.4).
    """
    if chosen in set(Language):
        return Language(chosen)
    weighed = sorted(map(_weigh, accepted.split(",")), reverse=True, key=lambda pair: pair[0])
    for weight, tag in weighed:
        if weight > 0 and tag in set(Language):
            return Language(tag)
    return Language.EN


def _weigh(entry: str) -> tuple[float, str]:
    tag, _, parameters = entry.partition(";")
    _, _, quality = parameters.partition("q=")
    try:
        weight = float(quality or "1")
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]


_WORDS: Final[Mapping[str, Pair]] = {
    "tagline": ("Network and classroom status", "校园网络与教室状态"),
    "skip": ("Skip to content", "跳到正文"),
    "updated": ("Updated {time}", "更新于 {time}"),
    "all_schools": ("All schools", "全部学校"),
    "tile_schools": ("schools meet every target", "所学校全部达标"),
    "tile_problems": ("problems now", "个当前问题"),
    "tile_seats": ("seats without working Wi-Fi", "个座位无可用 Wi-Fi"),
    "tile_unknown": ("seats that cannot be judged", "个座位无法判断"),
    "problems": ("What is wrong now", "当前问题"),
    "no_problems": (
        "Nothing. Every watched device answers, and every room has what it was promised.",
        "无。所有受监测设备均有应答，所有教室均达到承诺。",
    ),
    "schools": ("Schools", "学校"),
    "targets": ("Targets", "目标"),
    "no_targets": ("No target applies to this school.", "没有适用于该校的目标。"),
    "rooms": ("Rooms", "教室"),
    "devices": ("Devices", "设备"),
    "uptime": ("Uptime", "在线率"),
    "wifi-coverage": ("Wi-Fi coverage", "Wi-Fi 覆盖"),
    "bandwidth": ("Internet bandwidth", "互联网带宽"),
    "scope_line": ("capacity of the line for {students} students", "{students} 名学生的出口容量"),
    "scope_service": ("service hours of the last {window}", "最近 {window}的服务时段"),
    "scope_lessons": ("lessons of the last {window}", "最近 {window}的课时"),
    "scope_always": ("all hours of the last {window}", "最近 {window}，全时段"),
    "scope_seats": ("seats, now", "座位占比，当前"),
    "objective": ("objective {share}", "目标 {share}"),
    "between": ("between {low} and {high}", "介于 {low} 与 {high} 之间"),
    "nothing_due": ("nothing was due", "无应计时段"),
    "nothing_known": ("nothing known", "暂无数据"),
    "seats": ("{count} seats", "{count} 个座位"),
    "one_room": ("1 room", "1 间教室"),
    "many_rooms": ("{count} rooms", "{count} 间教室"),
    "more": ("and {count} more", "等另外 {count} 间"),
    "students": ("{count} students", "{count} 名学生"),
    "since": ("since {time}, for {duration}", "自 {time} 起，已持续 {duration}"),
    "since_before": ("since before {time}, for over {duration}", "早于 {time}，已超过 {duration}"),
    "past": ("{start} to {end}", "{start} 至 {end}"),
    "cost": ("cost {duration} of device time", "损失 {duration}设备时长"),
    "takes_along": ("{count} devices behind it are down too", "其后 {count} 台设备随之离线"),
    "takes_along_one": ("1 device behind it is down too", "其后 1 台设备随之离线"),
    "because_of": ("because {device} is down", "因 {device} 故障"),
    "agent": ("Agent {id}", "采集代理 {id}"),
    "heard": ("heard {duration} ago", "{duration}前有应答"),
    "never_heard": ("no reading in the last day", "最近一天无读数"),
    "signal": ("signal {value} dBm", "信号 {value} dBm"),
    "state": ("State", "状态"),
    "device": ("Device", "设备"),
    "room": ("Room", "教室"),
    "details": ("Details", "详情"),
    "lost_to": ("What it was lost to", "损失来源"),
    "not_found": ("There is no such page.", "没有这个页面。"),
    "store_away": (
        (
            "The store does not answer. New readings are safe with the agents; "
            "this page tries again by itself."
        ),
        "数据存储无应答。新读数仍安全保存在采集代理中；本页会自动重试。",
    ),
    "unit_d": ("d", "天"),
    "unit_h": ("h", "小时"),
    "unit_min": ("min", "分钟"),
    "unit_s": ("s", "秒"),
}

_NAMES: Final[Names] = {
    Verdict: {
        Verdict.MET: ("met", "达标"),
        Verdict.MISSED: ("missed", "未达标"),
        Verdict.CANNOT_TELL: ("cannot tell", "无法判断"),
    },
    RoomState: {
        RoomState.PASS: ("works", "正常"),
        RoomState.FAIL: ("fails", "不可用"),
        RoomState.CANNOT_TELL: ("cannot tell", "无法判断"),
    },
    Limit: {
        Limit.DOWN: ("is down", "故障"),
        Limit.NO_AP: ("No access point serves the room", "无 AP 覆盖"),
        Limit.WEAK_SIGNAL: ("Weak signal although the access points are up", "AP 在线但信号弱"),
        Limit.NO_EVIDENCE: ("no current reading", "暂无读数"),
    },
    DeviceState: {
        DeviceState.UP: ("up", "在线"),
        DeviceState.DOWN: ("down", "离线"),
        DeviceState.UNKNOWN: ("unknown", "未知"),
        DeviceState.UNWATCHED: ("not watched", "未监测"),
    },
}

_SHOWN: Final = {"d": ("d", "h"), "h": ("h", "min"), "min": ("min",), "s": ("s",)}
"""For the largest unit of a length of time, the units that are told."""


class Words(Phrasebook):
    """The console's words of one language."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, _WORDS, _NAMES)

    def duration(self, seconds: float) -> str:
        """Return a length of time: days and hours, hours and minutes, minutes, or seconds."""
        minutes, rest = divmod(max(0, int(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        counts = {"d": days, "h": hours, "min": minutes, "s": rest}
        largest = next((unit for unit, count in counts.items() if count), "s")
        told = [unit for unit in _SHOWN[largest] if counts[unit] or unit == largest]
        return " ".join(f"{counts[unit]} {self(f'unit_{unit}')}" for unit in told)
