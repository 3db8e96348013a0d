"""Rows in other languages: each is held against the one it was asked for in, and counted as it is written."""

import pytest

from glan.config import Curation
from glan.curation.rules import Example, judged, reasons
from glan.curation.signatures import signature
from glan.curation.words import grams, jaccard

GERMAN = (
    "Warum wird Licht an der Grenze von Glas und Luft gebrochen, und wovon hängt die Größe des Winkels ab?",
    "Licht wird gebrochen, weil es in Glas langsamer ist als in Luft. Der Winkel hängt vom Verhältnis der beiden "
    "Geschwindigkeiten ab, das man den Brechungsindex nennt.",
)
CHINESE = (
    "光从玻璃进入空气时为什么会发生折射，折射角的大小由什么决定？",
    "光在玻璃中的速度比在空气中慢，所以在界面上改变方向。折射角由两种速度的比值决定，这个比值叫做折射率。",
)
THAI = (
    "เหตุใดแสงจึงหักเหเมื่อเดินทางจากแก้วไปยังอากาศ และขนาดของมุมหักเหขึ้นอยู่กับอะไร",
    "แสงเดินทางในแก้วช้ากว่าในอากาศ จึงเปลี่ยนทิศทางที่ผิวรอยต่อ มุมหักเหขึ้นอยู่กับอัตราส่วนของความเร็วทั้งสอง ซึ่งเรียกว่าดัชนีหักเห",
)
ARABIC = (
    "لماذا ينكسر الضوء عند انتقاله من الزجاج إلى الهواء، وعلى ماذا يعتمد مقدار زاوية الانكسار؟",
    "ينتقل الضوء في الزجاج أبطأ مما في الهواء، ولذلك يغير اتجاهه عند السطح الفاصل. وتعتمد الزاوية على نسبة السرعتين، "
    "وتسمى هذه النسبة معامل الانكسار.",
)
ENGLISH = (
    "Why is light refracted at the border between glass and air, and what does the size of the angle depend on?",
    "Light is slower in glass than in air, so it changes its direction at the border. The angle depends on the ratio of "
    "the two speeds, which is called the refractive index.",
)
RECORDED = ("520217d8e8a78ec4fc36776e18e2e9a97095", "5202c64bdf8f63d53c6cc6c394b82df03908")
"""The beginnings of the signatures of the last and the second of these questions, from before there were languages."""

ROWS = {"de": GERMAN, "zh": CHINESE, "th": THAI, "ar": ARABIC, None: ENGLISH}


def codes(pair: tuple[str, str], asked_for: str | None, **settings: object) -> list[str]:
    return list(reasons(Example(*pair, "stop", asked_for), Curation(**settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize("asked_for", ROWS, ids=str)
def test_a_row_is_kept_in_the_language_it_was_asked_for_in_and_no_other(asked_for: str | None) -> None:
    for language, pair in ROWS.items():
        assert codes(pair, asked_for) == ([] if language == asked_for else ["other_language"])
        assert codes(pair, asked_for, language=None) == []


def test_the_setting_is_about_rows_from_english_syllabi_alone() -> None:
    assert codes(GERMAN, None, language="de") == codes(CHINESE, "zh", language="de") == []
    assert codes(ENGLISH, None, language="de") == codes(GERMAN, "zh", language="de") == ["other_language"]


def test_rows_of_several_languages_judged_together_are_judged_as_each_by_itself() -> None:
    examples = [Example(*pair, "stop", language) for language in ROWS for pair in ROWS.values()]
    together = judged(examples, Curation())
    assert together == [
        reasons(Example(one.question, one.answer, "stop", one.language), Curation()) for one in examples
    ]


def test_an_answer_in_another_language_stays_where_the_question_is_about_languages() -> None:
    asked = "Übersetzen Sie den folgenden Satz ins Englische und begründen Sie die Wahl der Zeitform darin genau."
    assert codes((asked, ENGLISH[1]), "de") == []


@pytest.mark.parametrize(("language", "fewest"), [("zh", 1_001), ("ja", 1_001), ("th", 1_001)])
def test_lengths_without_spaces_are_of_words_not_of_characters(language: str, fewest: int) -> None:
    character = {"zh": "光", "ja": "あ", "th": "ก"}[language]
    each = {"zh": 1.5, "ja": 2, "th": 4}[language]
    said = character * round(1_000 * each)
    settings = {"max_answer_words": 1_000, "language": None}
    assert "length" not in codes((CHINESE[0], said), language, **settings)
    assert "length" in codes((CHINESE[0], character * round(fewest * each)), language, **settings)
    assert "length" in codes((CHINESE[0], said), None, **settings)  # as rows were counted before
    assert codes(("定义熵。", "熵是系统无序程度的度量。"), "zh", min_question_words=2) == []


def test_a_term_that_comes_again_is_no_loop_and_a_loop_is_one_without_spaces() -> None:
    term = "需求定律说明价格与需求量的关系，需求定律并不说明供给，违反需求定律的商品很少，检验需求定律要控制收入。"
    assert codes((CHINESE[0], term), "zh") == []
    assert codes((CHINESE[0], term), None, language=None) == ["repetition"]  # as all rows were judged before
    thai = (
        "กฎของอุปสงค์และอุปทานอธิบายราคา กฎของอุปสงค์และอุปทานใช้กับตลาดเสรี การทดสอบกฎของอุปสงค์และอุปทานต้องควบคุมรายได้ "
        "ข้อยกเว้นของกฎของอุปสงค์และอุปทานมีน้อย"
    )
    assert codes((THAI[0], thai), "th") == []
    assert codes((CHINESE[0], CHINESE[1] + "因此折射角会继续变大下去。" * 12), "zh") == ["repetition"]
    assert codes((THAI[0], "มุมหักเหจึงเพิ่มขึ้นเรื่อยๆ" * 12), "th") == ["repetition"]


@pytest.mark.parametrize(
    ("language", "question", "answer", "reason"),
    [
        ("de", f"Aufgabe: {GERMAN[0]}", GERMAN[1], "question_heading"),
        ("ja", "問題：光はなぜ屈折するのですか。理由を詳しく説明してください。", "光の速さが変わるからです。", "question_heading"),
        ("fr", "Selon le syllabus, pourquoi la lumière change-t-elle de direction dans le verre ?", "Elle ralentit.",
         "not_self_contained"),
        ("es", "¿Por qué se refracta la luz?\nRespuesta: porque cambia su velocidad.", "Cambia su velocidad.",
         "answer_in_question"),
        ("zh", CHINESE[0], "抱歉，我无法回答这个问题。", "refusal"),
        ("zh", CHINESE[0], "作为一个人工智能，我无法回答这个问题。", "refusal"),
        ("es", "¿Por qué se refracta la luz?", "Como modelo de lenguaje, no puedo responder a esta pregunta.", "refusal"),
        ("fr", "Quelles notions de cette séance expliquent la réfraction ?", "Elle ralentit.", "not_self_contained"),
        ("de", GERMAN[0], "Es tut mir leid, aber ich kann diese Frage nicht beantworten.", "refusal"),
    ],
)  # fmt: skip
def test_the_commonest_forms_of_what_is_rejected_are_known(
    language: str, question: str, answer: str, reason: str
) -> None:
    assert codes((question, answer), language) == [reason]


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("zh", "什么是机器学习？", "作为人工智能的一个分支，机器学习研究如何让计算机从数据中学习规律。"),
        ("es", "¿Qué es la inteligencia artificial?", "Como inteligencia artificial se conoce la rama de la informática que la estudia."),
        ("nl", "Wanneer mogen bedrijven zulke systemen gebruiken?", "Als AI-systemen worden gebruikt, moeten mensen toezicht houden."),
        ("fr", "Combien d'énergie demande cette séance de course : 10 km à 70 kg ?", "Environ 700 kcal."),
        ("fr", "Un coureur prévoit une séance de 10 km. Combien d'énergie demande cette séance ?", "Environ 700 kcal."),
    ],
)  # fmt: skip
def test_what_looks_like_these_forms_stays(language: str, question: str, answer: str) -> None:
    assert codes((question, answer), language) == []


def test_what_english_sentences_do_at_their_end_is_asked_of_no_other() -> None:
    cut = "Man dreht die Schraube gegen den Uhrzeigersinn. Danach zieht man sie mit der Hand ganz langsam wieder an"
    assert codes((GERMAN[0], cut), "de") == []
    assert codes((GERMAN[0], f"{GERMAN[1]} Dazu gehören vor allem:"), "de") == ["truncation"]


def test_near_duplicates_are_found_by_runs_of_characters_and_signatures_are_as_they_were() -> None:
    changed = CHINESE[0].replace("发生折射", "产生折射")
    assert jaccard(grams(CHINESE[0]), grams(changed)) > 0.7
    assert jaccard(grams(CHINESE[0]), grams("经济学家怎样解释通货膨胀，中央银行可以采取哪些措施？")) < 0.1
    assert signature(ENGLISH[0])[:18].hex() == RECORDED[0]
    assert signature(CHINESE[0])[:18].hex() == RECORDED[1]
