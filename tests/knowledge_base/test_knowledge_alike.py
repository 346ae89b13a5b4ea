"""Questions that ask the same are found together, and others are kept apart."""

import pytest

from knowledge_base.alike import Alike

OTHERS = ("怎么交物业费", "停车怎么收费", "电梯坏了找谁", "快递放哪里", "Where is the nearest bank?")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("游泳池几点开门", "泳池开放时间是几点"),
        ("楼顶可以种菜吗", "能不能在天台种菜"),
        ("游泳池幾點開放", "泳池几点开门"),
        ("地库能洗车吗", "地下车库可以洗车不"),
        ("会所能订生日派对吗", "可以在会所办生日派对吗"),
        ("小区有托儿所吗", "请问小区里面有没有托儿所"),
        ("儿童乐园几点关门", "小朋友玩的乐园几点关"),
        ("Is there a gym?", "do you have a gym here"),
    ],
)
def test_the_same_in_other_words(first: str, second: str) -> None:
    known = Alike((*OTHERS, first))
    assert known.nearest(second) == len(OTHERS)
    assert Alike((*OTHERS, second)).nearest(first) == len(OTHERS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("游泳池几点开门", "游泳池收费多少"),
        ("健身房几点开门", "游泳池几点开门"),
        ("楼顶可以种菜吗", "楼顶可以晒被子吗"),
        ("有没有雨伞借", "有没有推车借"),
        ("会所能订生日派对吗", "会所能打麻将吗"),
        ("小区有托儿所吗", "小区有幼儿园吗"),
        ("快递柜的格子有多大", "快递柜收费吗"),
        ("Is there a gym?", "Is there a pool?"),
        ("怎么办理", "怎么处理"),
        ("", "你好"),
    ],
)
def test_something_else(first: str, second: str) -> None:
    assert Alike((*OTHERS, first)).nearest(second) is None


def test_nothing_is_known_yet() -> None:
    assert Alike().nearest("游泳池几点开门") is None
