"""Which place is meant: stated parts against known homes and the lists of the communities, as a table."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from bot.desk import Building, Community, Home, Place, new_id
from workflows import where
from workflows.where import Atlas, Where

LAKE = Community(new_id(), "翠湖苑", ("翠湖", "一期"))
HILL = Community(new_id(), "云山府", ("云山",))
NEW = Community(new_id(), "晴川里")
"""A community whose buildings nobody has listed yet."""


def rooms(*keys: str) -> dict[tuple[str, str], UUID]:
    return {(key.split("-")[0], key.split("-")[1]): new_id() for key in keys}


def building(
    community: Community, name: str, homes: dict[tuple[str, str], UUID], cluster: str | None = None
) -> Building:
    return Building(new_id(), community.id, name, cluster, homes)


_LAKE = [
    building(LAKE, "3", rooms("1-1502", "2-1502", "2-1206", "1-302")),
    building(LAKE, "9", rooms("-502", "-101")),
    building(LAKE, "13", rooms("1-803")),
    building(LAKE, "A", {}),
    building(LAKE, "8", rooms("1-1203"), "东区"),
]
_HILL = [building(HILL, "3", rooms("2-1502")), building(HILL, "5", rooms("1-302"))]
LOBBY = Place(new_id(), LAKE.id, "3栋大堂", "lobby")
ATLAS = Atlas(
    {LAKE.id: {b.name: b for b in _LAKE}, HILL.id: {b.name: b for b in _HILL}, NEW.id: {}}, {LAKE.id: [LOBBY]}
)


def home(text: str, community: Community = LAKE) -> Home:
    b, u, r = text.split("-")
    return Home(id=new_id(), community_id=community.id, building=b, unit=u, room=r, role="owner")


def stated(text: str) -> dict[str, str]:
    """`building=3 room=1502`"""
    return dict(part.split("=") for part in text.split())


@pytest.mark.parametrize(
    ("said", "homes", "communities", "kind", "label"),
    [
        # known, nothing stated
        ("", ["3-2-1502"], [LAKE], "home", "3栋2单元1502"),
        ("", ["3-2-1502", "9--502"], [LAKE], "several", ""),
        ("", [], [LAKE], "unknown", ""),
        ("community=翠湖", ["3-2-1502"], [LAKE, HILL], "home", "3栋2单元1502"),
        # stated, listed
        ("building=3 unit=2 room=1502", [], [LAKE], "home", "3栋2单元1502"),
        ("building=13 room=803", [], [LAKE], "home", "13栋1单元803"),
        ("building=3 room=1502", [], [LAKE], "several", "3栋1502"),
        ("building=9 room=502", ["3-2-1502", "9--502"], [LAKE], "home", "9栋502"),
        ("room=1502", ["3-2-1502"], [LAKE], "home", "3栋2单元1502"),
        ("room=1502", [], [LAKE], "building", "1502"),
        ("building=3", [], [LAKE], "building", "3栋"),
        ("building=A room=1203", [], [LAKE], "home", "A座1203"),
        ("building=东区8 unit=1 room=1203", [], [LAKE], "home", "8栋1单元1203"),
        ("building=3号楼 unit=2 room=1206", [], [LAKE], "home", "3栋2单元1206"),
        # stated, not listed
        ("building=33 unit=2 room=1502", [], [LAKE], "absent", "33栋2单元1502"),
        ("building=3 unit=2 room=1599", [], [LAKE], "absent", "3栋2单元1599"),
        ("building=33", [], [LAKE], "absent", "33栋"),
        # a community without a list takes any building
        ("building=29 unit=1 room=1003", [], [NEW], "home", "29栋1单元1003"),
        ("building=16 room=2102", [], [NEW], "home", "16栋2102"),
        ("building=11", [], [NEW], "building", "11栋"),
        # several communities behind one account
        ("building=3 unit=2 room=1502", [], [LAKE, HILL], "several", ""),
        ("building=5 unit=1 room=302", [], [LAKE, HILL], "home", "云山府5栋1单元302"),
        ("community=云山 building=3 unit=2 room=1502", [], [LAKE, HILL], "home", "3栋2单元1502"),
        ("building=3 unit=2 room=1206", [], [LAKE, HILL, NEW], "home", "翠湖苑3栋2单元1206"),
        ("building=77 unit=9 room=404", [], [LAKE, HILL, NEW], "home", "晴川里77栋9单元404"),
        ("", [], [LAKE, HILL], "unknown", ""),
        # public places
        ("place=大堂 building=3", [], [LAKE], "place", "3栋大堂"),
        ("place=大堂", [], [LAKE], "unknown", "大堂"),
        ("place=大堂", ["9--502"], [LAKE], "place", "9栋大堂"),
        ("place=大堂", [], [NEW], "unknown", "大堂"),
        ("place=楼道", ["3-2-1502"], [LAKE], "place", "3栋楼道"),
        ("place=车库", ["3-2-1502"], [LAKE], "unknown", "车库"),
        ("place=地库B2入口", [], [LAKE], "place", "地库B2入口"),
        ("place=南门", [], [LAKE], "place", "南门"),
        ("place=电梯 building=33", [], [LAKE], "absent", "33栋"),
        ("place=电梯 building=5", [], [LAKE, HILL], "place", "云山府5栋电梯"),
    ],
)
def test_find(said: str, homes: list[str], communities: list[Community], kind: str, label: str) -> None:
    found = where.find(stated(said), [home(text) for text in homes], communities, ATLAS)
    assert found.kind == kind
    assert where.label(found, "zh-Hans") == label


@pytest.mark.parametrize(
    ("listed", "said", "homes", "kind", "label"),
    [
        (["地下车库", "东门岗亭"], "车库", [], "place", "地下车库"),
        (["地下车库", "东门岗亭"], "车库", ["3-2-1502"], "place", "地下车库"),
        (["东区车库", "西区车库"], "车库", [], "unknown", "车库"),
        (["3栋电梯", "9栋电梯"], "电梯", [], "unknown", "电梯"),
        (["3栋电梯", "9栋电梯"], "电梯", ["9--502"], "place", "9栋电梯"),
        (["3栋电梯"], "电梯", ["9--502"], "place", "9栋电梯"),
        (["3栋电梯"], "电梯里", [], "unknown", "电梯里"),
        (["观光电梯"], "电梯", [], "place", "观光电梯"),
        (["观光电梯"], "这个电梯", ["9--502", "3-2-1502"], "unknown", "这个电梯"),
    ],
)
def test_a_bare_kind_of_place_is_the_only_one_or_the_one_at_home(
    listed: list[str], said: str, homes: list[str], kind: str, label: str
) -> None:
    places = [Place(new_id(), LAKE.id, name, name[-2:]) for name in listed]
    found = where.find(
        {"place": said}, [home(text) for text in homes], [LAKE], Atlas(ATLAS.buildings, {LAKE.id: places})
    )
    assert (found.kind, where.label(found, "zh-Hans")) == (kind, label)


def test_what_looks_like_it_is_suggested() -> None:
    found = where.find(stated("building=33 unit=2 room=1502"), [], [LAKE], ATLAS)
    assert found.nearest is not None
    assert where.label(found.nearest, "zh-Hans") == "3栋2单元1502"


def test_nothing_is_suggested_that_looks_like_nothing() -> None:
    assert where.find(stated("building=77 unit=2 room=1502"), [], [LAKE], ATLAS).nearest is None


def test_two_slips_are_no_slip() -> None:
    assert where.find(stated("building=33 unit=2 room=1503"), [], [LAKE], ATLAS).nearest is None


def test_a_choice_has_at_most_three_and_names_the_community_where_that_tells_them_apart() -> None:
    found = where.find(stated("building=3 unit=2 room=1502"), [], [LAKE, HILL], ATLAS)
    assert [where.label(option, "zh-Hans") for option in found.options] == ["翠湖苑3栋2单元1502", "云山府3栋2单元1502"]


def test_what_was_spoken_of_before_completes_what_is_stated() -> None:
    before = Where("home", LAKE, "3", "2", "1502")
    assert where.find({}, [], [LAKE], ATLAS, before) == before
    found = where.find(stated("room=1206"), [], [LAKE], ATLAS, before)
    assert where.label(found, "zh-Hans") == "3栋2单元1206"


def test_an_exact_public_place_is_known_by_its_row() -> None:
    found = where.find(stated("place=3栋大堂"), [], [LAKE], ATLAS)
    assert (found.kind, found.place_id) == ("place", LOBBY.id)


@pytest.mark.parametrize(
    ("place", "language", "label"),
    [
        (Where("home", LAKE, "3", "2", "1502"), "en", "Building 3, Unit 2, Flat 1502"),
        (Where("home", LAKE, "3", "2", "1502", named=True), "en", "Building 3, Unit 2, Flat 1502, 翠湖苑"),
        (Where("home", LAKE, "5", "", "12B"), "zh-Hant", "5座12B"),
        (Where("home", LAKE, "3", "2", "1502", named=True), "zh-Hans", "翠湖苑3栋2单元1502"),
        (Where("place", LAKE, "3", place="lobby"), "en", "lobby, Building 3"),
    ],
)
def test_label(place: Where, language: str, label: str) -> None:
    assert where.label(place, language) == label


def test_a_place_survives_being_kept() -> None:
    found = where.find(stated("building=3 unit=2 room=1502"), [], [LAKE], ATLAS)
    communities: Mapping[UUID, Community] = {LAKE.id: LAKE}
    assert where.of_json(where.as_json(found), communities) == found
    assert where.of_json(where.as_json(found), {}).community is None
