"""The words of reports, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from campuswatch.inventory.models import Hours
from campuswatch.language import Language, Names, Pair, Phrasebook
from targets.forecast import Outlook
from targets.reports.equity import Measure
from targets.verdicts import Verdict

_WORDS: Final[Mapping[str, Pair]] = {
    "uptime": ("Uptime report", "在线率报告"),
    "bandwidth": ("Bandwidth report", "带宽报告"),
    "devices": ("Classroom report", "教室设备报告"),
    "equity": ("Equity report", "均衡报告"),
    "period": ("{first} to {last}", "{first} 至 {last}"),
    "until": ("Counted up to {time} UTC", "统计截至 {time} UTC"),
    "page": ("Page", "页"),
    "schools": ("Schools", "学校"),
    "school": ("School", "学校"),
    "area": ("Area", "区域"),
    "target": ("Target", "目标"),
    "objective": ("Objective", "目标值"),
    "hours": ("Hours", "统计时段"),
    "attained": ("Attained", "实际"),
    "lowest": ("At least", "至少"),
    "highest": ("At most", "至多"),
    "verdict": ("Verdict", "结论"),
    "down": ("Down", "离线"),
    "unknown": ("Unknown", "未知"),
    "due": ("Due", "应计"),
    "device": ("Device", "设备"),
    "kind": ("Kind", "类型"),
    "room": ("Room", "教室"),
    "seats": ("Seats", "座位"),
    "lost": ("Lost", "损失"),
    "lost_share": ("Lost share", "损失占比"),
    "lessons_by_school": ("Lesson time lost", "课时损失"),
    "lessons_by_room": ("Lesson time lost by room", "各教室课时损失"),
    "lessons_note": (
        "Seats times the time of lessons without a working network, in seat hours.",
        "座位数乘以无可用网络的课时，单位为座位小时。",
    ),
    "uptime_by_school": ("Targets by school", "各校目标"),
    "uptime_by_device": ("Devices: {target}", "设备：{target}"),
    "uptime_by_day": ("Uptime by day: {target}", "每日在线率：{target}"),
    "worst_schools": ("Schools that lost most lesson time", "课时损失最多的学校"),
    "students": ("Students", "学生数"),
    "line": ("Lines by school", "各校出口"),
    "provisioned": ("Provisioned", "签约带宽"),
    "port": ("Port", "端口速率"),
    "per_student": ("Per student", "生均带宽"),
    "promised": ("Promised", "承诺"),
    "busy": ("Busiest hour", "忙时流量"),
    "saturated": ("Saturated", "饱和占比"),
    "busy_median": ("Busiest hour, median", "忙时流量中位数"),
    "busy_most": ("Busiest hour, highest", "忙时流量最高"),
    "saturated_time": ("Saturated", "饱和时长"),
    "not_ready": ("Rooms not ready at the first lesson", "首节课未就绪"),
    "trials": ("Measured by the agent's probes, medians", "采集代理实测（中位数）"),
    "trials_count": ("Trials", "次数"),
    "idle_rtt": ("Latency, idle", "空闲时延"),
    "loaded_rtt": ("Latency, loaded", "负载时延"),
    "full": ("Full in", "预计饱和"),
    "direction": ("Direction", "方向"),
    "download": ("download", "下行"),
    "upload": ("upload", "上行"),
    "capacity": ("Capacity", "容量"),
    "date": ("Date", "日期"),
    "traffic_by_day": ("Busiest hour of each day", "每日忙时流量"),
    "line_note": (
        (
            "Mbit/s. The busiest hour is told by its 95th percentile. A line is saturated while "
            "80 % or more of it is in use in a lesson."
        ),
        "单位 Mbit/s。忙时流量取该小时的第 95 百分位。上课时占用达到 80 % 即为饱和。",
    ),
    "no_line": ("no line in the inventory", "清单中无出口"),
    "full_between": ("{month} ({earliest} to {latest})", "{month}（{earliest} 至 {latest}）"),
    "classrooms": ("Classrooms", "教室"),
    "equipped": ("Equipped", "已配备"),
    "ready": ("Ready at first lesson", "首节课就绪"),
    "ready_days": ("Days ready", "就绪天数"),
    "failed_days": ("Days failed", "故障天数"),
    "unknown_days": ("Days unknown", "未知天数"),
    "failed": ("What failed", "故障设备"),
    "co2_in_range": ("CO2 in range", "CO2 达标"),
    "co2_1000": ("Over 1,000 ppm", "超 1000 ppm"),
    "co2_1500": ("Over 1,500 ppm", "超 1500 ppm"),
    "classrooms_by_school": ("Classrooms by school", "各校教室"),
    "devices_note": (
        (
            "A room counts as ready on a day when all its projectors and displays answered at the "
            "start of the first lesson. CO2 is that of lessons."
        ),
        "当天首节课开始时，教室内全部投影机与显示屏均有应答即为就绪。CO2 为上课时段数据。",
    ),
    "no_set": ("none", "无"),
    "rank": ("Rank", "排名"),
    "change": ("Change", "变化"),
    "score": ("Score", "得分"),
    "score_change": ("Score change", "得分变化"),
    "ranking": ("Ranking", "排名"),
    "new": ("new", "新"),
    "gaps": ("Gaps between schools", "校际差距"),
    "measure": ("Measure", "指标"),
    "first_quartile": ("Lower quartile", "下四分位"),
    "median": ("Median", "中位数"),
    "third_quartile": ("Upper quartile", "上四分位"),
    "worst_to_best": ("Worst to best fifth", "最差与最好五分之一之比"),
    "theil": ("Theil index", "泰尔指数"),
    "theil_between": ("of it between areas", "其中区域间"),
    "inequality": ("Inequality", "不均衡程度"),
    "over_time": ("Median over time: {measure}", "中位数变化：{measure}"),
    "equity_note": (
        (
            "Compared with {first} to {last}. The score is the mean of how far a school's targets "
            "were reached, each at most fully. Each school counts once."
        ),
        "与 {first} 至 {last} 比较。得分为各目标完成度的平均值，单项不超过 100 %。每校计一次。",
    ),
    "marks": ("Marks", "各目标完成情况"),
    "summary": ("Summary", "汇总"),
    "district": ("Whole district", "全区"),
}

_NAMES: Final[Names] = {
    Verdict: {
        Verdict.MET: ("met", "达标"),
        Verdict.MISSED: ("missed", "未达标"),
        Verdict.CANNOT_TELL: ("cannot tell", "无法判断"),
    },
    Hours: {
        Hours.SERVICE: ("service hours", "服务时段"),
        Hours.LESSONS: ("lessons", "课时"),
        Hours.ALWAYS: ("all hours", "全时段"),
    },
    Outlook: {
        Outlook.FULL: ("now", "已饱和"),
        Outlook.NOT_IN_SIGHT: ("not in sight", "三年内不会"),
        Outlook.CANNOT_TELL: ("cannot tell", "无法判断"),
    },
    Measure: {
        Measure.UPTIME: ("Uptime, %", "在线率，%"),
        Measure.LESSONS: ("Lesson time with network, %", "有网课时，%"),
        Measure.COVERAGE: ("Seats with Wi-Fi, %", "Wi-Fi 覆盖座位，%"),
        Measure.BANDWIDTH: ("Download per student, Mbit/s", "生均下行带宽，Mbit/s"),
        Measure.CLASSROOMS: ("Classrooms ready, %", "教室就绪，%"),
    },
}


class Words(Phrasebook):
    """The reports' words of one language."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, _WORDS, _NAMES)

    def own(self, name: str) -> str:
        """Return the part of a name in this language, if it is given as "English / 中文"."""
        parts = name.split(" / ")
        return parts[self._column] if len(parts) == len(Language) else name
