"""What must hold for any home, any hour and any words around them."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from intents.slots import find_slots
from intents.times import find_time

NOW = datetime.fromisoformat("2026-11-22T10:00")
BUILDINGS, UNITS = st.integers(1, 39), st.integers(1, 4)
ROOMS = st.builds("{}{:02}".format, st.integers(1, 33), st.integers(1, 8))
HOMES = st.sampled_from(
    [
        "{b}栋{u}单元{r}",
        "{b}棟{u}單元{r}室",
        "{b}幢{u}单元{r}号",
        "{b}号楼{u}单元{r}",
        "{b}-{u}-{r}",
        "{b}#{u}-{r}",
        "{b}－{u}－{r}",
    ]
)
BEFORE = st.sampled_from(["", "我是", "你好，", "我家在", "地址：", "厨房漏水 "])
AFTER = st.sampled_from(["", "漏水", "，灯不亮", " please help", "。麻烦快点", "\n[图片]"])


@given(BEFORE, HOMES, BUILDINGS, UNITS, ROOMS, AFTER)
def test_a_home_is_found_however_it_is_written(
    before: str, home: str, building: int, unit: int, room: str, after: str
) -> None:
    found = find_slots(before + home.format(b=building, u=unit, r=room) + after)
    assert (found.building, found.unit, found.room) == (str(building), str(unit), room)


@given(
    st.sampled_from(["楼上", "隔壁", "對面", "楼下", "邻居"]),
    ROOMS,
    st.sampled_from(["太吵了", "天天半夜唱歌", "装修"]),
)
def test_a_neighbours_room_is_not_the_residents_own(where: str, room: str, what: str) -> None:
    assert find_slots(where + room + what).room is None


@given(st.sampled_from("3456789"), st.text("0123456789", min_size=9, max_size=9), BEFORE)
def test_a_mobile_number_is_found_and_is_no_room(second: str, rest: str, before: str) -> None:
    found = find_slots(f"{before}电话1{second}{rest}")
    assert (found.phone, found.room) == (f"1{second}{rest}", None)


@given(st.integers(8, 11), st.sampled_from(["明天上午{}点来修", "明天早上{}點過嚟", "come tomorrow at {}am please"]))
def test_an_hour_of_tomorrow_is_that_hour(hour: int, wish: str) -> None:
    found = find_time(wish.format(hour), NOW)
    assert found is not None
    assert found.start == f"2026-11-23T{hour:02}:00"


@given(st.integers(1, 28), st.integers(1, 12))
def test_a_date_is_the_coming_one(day: int, month: int) -> None:
    found = find_time(f"{month}月{day}日上午来修", NOW)
    assert found is not None
    assert found.start is not None
    start = datetime.fromisoformat(found.start)
    assert (start.month, start.day) == (month, day)
    assert -62 < (start - NOW).days < 366
