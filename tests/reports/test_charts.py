"""Charts are text that a program can read, and the same numbers give the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.reports.charts import HEIGHT, HIDDEN_SIGN, WIDTH, Column, draw_bar, draw_columns

SVG = "{*}"


def draw(*sizes: int | None, label: str = "1") -> "etree._Element":
    columns = [Column(label=label, size=size, text=str(size)) for size in sizes]
    return etree.fromstring(
        draw_columns(columns, identifier="x", title="Күндөр", description="<all> & 'more'")
    )


def rectangles(chart: "etree._Element") -> list[dict[str, float]]:
    return [
        {name: float(each.get(name, "")) for name in ("x", "y", "width", "height")}
        for each in chart.findall(f"{SVG}rect")
    ]


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9)), max_size=40))
def test_every_column_is_inside_the_chart(sizes: list[int | None]) -> None:
    chart = draw(*sizes)

    found = rectangles(chart)
    assert len(found) == sum(size is not None for size in sizes)
    for each in found:
        assert each["x"] >= 0
        assert each["x"] + each["width"] <= WIDTH
        assert 0 <= each["y"] <= each["y"] + each["height"] <= HEIGHT


def test_columns_are_as_high_as_their_numbers() -> None:
    heights = [each["height"] for each in rectangles(draw(0, 50, 100))]

    assert heights[0] == 0
    assert heights[2] == pytest.approx(2 * heights[1], abs=0.11)


def test_a_hidden_number_has_a_sign_and_no_column() -> None:
    chart = draw(10, None)

    assert len(rectangles(chart)) == 1
    assert [each.text for each in chart.findall(f"{SVG}text")].count(HIDDEN_SIGN) == 1


def test_a_reader_who_does_not_see_gets_title_and_description() -> None:
    chart = draw(1)

    assert chart.get("role") == "img"
    named = [
        chart.find(f"{SVG}*[@id='{each}']") for each in chart.get("aria-labelledby", "").split()
    ]
    assert [None if each is None else each.text for each in named] == ["Күндөр", "<all> & 'more'"]


def test_the_scale_ends_at_a_round_number() -> None:
    tops = {
        largest: draw(largest).findall(f"{SVG}text")[4].text
        for largest in (0, 3, 7, 95, 101, 8_695, 1_000_000)
    }

    assert tops == {
        0: "4",
        3: "4",
        7: "8",
        95: "100",
        101: "120",
        8_695: "10\N{NO-BREAK SPACE}000",
        1_000_000: "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000",
    }


def test_a_bar_is_a_share_of_the_largest() -> None:
    assert 'width="25.0"' in draw_bar(10, 40)
    assert draw_bar(None, 40) == ""
