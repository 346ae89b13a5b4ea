"""Messages to try with one tap, as residents write them."""

from typing import Final, NamedTuple


class Group(NamedTuple):
    """A heading in both languages, and its messages."""

    title: str
    subtitle: str
    messages: tuple[str, ...]


CHIPS: Final = (
    Group("报修", "Repair", ("3栋2单元1502厨房水管漏水", "卧室的灯不亮了，明天下午三点以后来", "2号电梯一直抖")),
    Group("险情", "Emergency", ("家里一股煤气味", "电梯里有人被困住了", "水管爆了，水往楼下流")),
    Group("询问", "Question", ("临时出入证怎么办", "物业费怎么交", "装修要办什么手续")),
    Group("投诉", "Complaint", ("楼上1602装修，这两天晚上9点还在砸墙，两晚没睡好", "楼道里堆满了纸箱，说了几次没人管")),
    Group("跟进", "Follow-up", ("我那个修到哪一步了", "怎么还没来", "不对，是1503", "没修好，还在漏")),
    Group("回数字", "Answer by digit", ("1", "2", "3")),
    Group("其他", "More", ("人工", "在吗", "The kitchen pipe is leaking", "廚房水喉漏水")),
)

MENU: Final = (("MENU_REPAIR", "我要报修"), ("MENU_PROGRESS", "查进度"), ("MENU_HUMAN", "找人工"))
"""Key and label of the account's menu."""

SCANS: Final = (
    ("p:翠湖苑/3栋2单元电梯", "电梯里的码"),
    ("p:翠湖苑/地库B2", "地库B2的码"),
    ("h:翠湖苑/3-2-1502", "家门口的码"),
    ("c:翠湖苑", "小区门口的码"),
)
"""Scene and label of codes to scan, as they hang in the demonstration's first community."""
