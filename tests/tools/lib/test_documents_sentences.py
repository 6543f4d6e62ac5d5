"""Whether a text continues in another one: what is joined, and what never is."""

import pytest

from lib.documents.sentences import joined, words_of

WORDS = words_of(["an example of a well-known co-operation", "it is cooperation", "대한민국의"])
CHINESE = "第一句话说完了。" + "这一页的最后一句话还没有说完" * 3


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("the page ends in", "the middle.", "the page ends in the middle."),
        ("as Smith (2020)", "has shown", "as Smith (2020) has shown"),
        ("one, two,", "three", "one, two, three"),
        ("the value $x^2$", "is large", "the value $x^2$ is large"),
        ("the countries of", "Europe", "the countries of Europe"),
        ("consisting of the", "3 parts", "consisting of the 3 parts"),
        ("конец страницы", "не конец", "конец страницы не конец"),
        # divided words: as the document writes them elsewhere
        ("for exam-", "ple this", "for example this"),
        ("this is well-", "known here", "this is well-known here"),
        ("an inter\u00ad", "esting one", "an interesting one"),
        ("a co-", "operation", "a cooperation"),
        # Korean
        ("여러 페이지에 걸친 문단을", "합칩니다.", "여러 페이지에 걸친 문단을 합칩니다."),
        ("결과를 확인하고,", "다음 단계로", "결과를 확인하고, 다음 단계로"),
        ("이를 위하여", "GPU 서버를", "이를 위하여 GPU 서버를"),
        ("문서 및", "표는", "문서 및 표는"),
        ("교육을 위한", "예산도", "교육을 위한 예산도"),
        ("이것이 대한민", "국의 미래입니다.", "이것이 대한민국의 미래입니다."),
        # Chinese and Japanese: no space
        ("我们看到，", "这是", "我们看到，这是"),
        (CHINESE, "直到下一页", f"{CHINESE}直到下一页"),
    ],
)  # fmt: skip
def test_goes_on(before: str, after: str, expected: str) -> None:
    assert joined(before, after, WORDS) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("the sentence ends.", "it seems"),
        ("the sentence ends.)", "and so"),
        ('he said "no."', "and left"),
        ("it ends here.[12]", "and"),
        ("it ends here.$^{3}$", "and"),
        ("it ends here.¹", "and"),
        ("no stop, but a capital", "Another begins"),
        ("as follows:", "the first"),
        ("the first;", "the second"),
        ("the second point", "b) the third"),
        ("the second point", "iv. the fourth"),
        ("the second point", "- another"),
        ("the second point", "[3] another"),
        ("the second point", "$^{1}$ a note"),
        ("pages 12-", "14"),
        ("pre-", "Raphaelite"),
        ("see the", "• list"),
        ("", "x"),
        ("x", " "),
        ("...", "x"),
        # Korean: nouns, nominal endings and full stops
        ("문장이 여기서 끝납니다.", "다음 문장은"),
        ("사업 계획의 수립 및 추진", "예산의 확보"),
        ("관계 기관과 협의", "다음 사항을"),
        ("제출 기한은 5월 31일까지", "제출 서류는"),
        ("이 사업을 추진함", "예산은"),
        ("다음과 같은 것을", "1. 첫째"),
        ("다음과 같은 것을", "가. 첫째"),
        ("다음의 조항을", "제3조(목적)"),
        # perhaps a divided word
        ("이것은 사용자에", "게 보냅니다."),
        ("이것은 시중은", "행에 있습니다."),
        ("이것을 대비하고", "자 합니다."),
        ("그 학생 수", "교사 수"),
        # Chinese
        ("这一句话说完了。", "下一句"),
        ("没有句号的标题", "正文从这里开始"),
        (CHINESE, "Another"),
    ],
)
def test_stays_apart(before: str, after: str) -> None:
    assert joined(before, after, WORDS) is None
