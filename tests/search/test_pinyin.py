"""Names in Han characters are found as people write and read them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_bridge.search import fold, name_forms
from fhir_bridge.search.pinyin import MAX_READINGS


@pytest.mark.parametrize(
    ("name", "found", "not_found"),
    [
        ("曾小明", "zengxiaoming zxm 小明 明 xiaoming", "cengxiaoming"),
        ("单小明", "shanxiaoming sxm", "danxiaoming"),
        ("單小明", "shanxiaoming", ""),
        ("仇和", "qiuhe qh he", "chouhe"),
        ("解晓东", "xiexiaodong", "jiexiaodong"),
        ("查良镛", "zhaliangyong", ""),
        ("区小明", "ouxiaoming", ""),
        ("王单", "wangdan", ""),
        ("王重", "wangzhong wangchong wz wc", ""),
        ("李长行", "lizhangxing lichangxing lichanghang", ""),
        ("乐嘉", "lejia yuejia", ""),
        ("吕布", "lvbu lubu lyubu lb", ""),
        ("王绿", "wanglv wanglu wanglyu", ""),
        ("欧阳锋", "ouyangfeng oyf 阳锋 锋 feng", "yangfeng"),
        ("歐陽鋒", "ouyangfeng", ""),
        ("司马相如", "simaxiangru smxr xiangru", ""),
        ("尉迟恭", "yuchigong ycg", "weichigong"),
        ("长孙无忌", "zhangsunwuji", ""),
        ("王晟", "wangsheng", ""),
        ("买买提·艾力", "买买提艾力 艾力 maimaitiaili mmtal aili", ""),
        ("阿卜杜热合曼·买买提艾力", "abudurehemanmaimaitiaili 买买提艾力 maimaitiaili", ""),
        ("曾·黎", "曾黎 zengli", ""),
    ],
)
def test_a_name_has_the_forms_it_is_looked_for_by(name: str, found: str, not_found: str) -> None:
    """Surnames by their own table, other characters by every common reading, ü in three ways."""
    forms = set(name_forms(fold(name)))
    assert set(found.split()) <= forms
    assert not forms & set(not_found.split())


@pytest.mark.parametrize("dot", "·•∙⋅‧・･●．.﹒")
def test_every_middle_dot_is_the_same(dot: str) -> None:
    """Senders use a dozen of them; a full stop between Han characters is one too."""
    assert fold(f"买买提{dot}艾力") == "买买提·艾力"


def test_a_full_stop_elsewhere_stays() -> None:
    """Only between Han characters it is a dot of a name."""
    assert fold("J. R. 王. 3.5毫克") == "j. r. 王. 3.5毫克"


def test_a_given_name_is_not_read_as_a_surname() -> None:
    """A part that is known to be a given name has the readings of its characters."""
    assert "dan" in name_forms("单", is_given=True)
    assert "shan" in name_forms("单")


def test_what_is_no_name_in_han_characters_has_no_other_forms() -> None:
    """Latin names, mixed text and long text cost no rows."""
    for text in ("müller", "王a", "天津市和平区卫生服务中心", "", "·"):
        assert name_forms(fold(text)) == ()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF), max_size=12))
def test_any_han_text_has_a_bounded_number_of_forms(text: str) -> None:
    """Rare characters and many readings included."""
    forms = name_forms(fold(text))
    assert len(forms) <= 8 + 3 * MAX_READINGS
    assert fold(text) not in forms


def test_the_readings_are_small_in_memory() -> None:
    """A process that indexes names needs a few megabytes more for it (it was 50)."""
    program = (
        "import fhir_bridge.search as s\n"
        "def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4 // 1024\n"
        "before = rss(); s.name_forms('单小明'); print(rss() - before)"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(answer.stdout) < 15
