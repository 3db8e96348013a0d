"""How texts in other languages than English show what no example should: the commonest forms of the commonest languages.

Headings and answers inside questions, what points outside a question, refusals; and what asks to judge a given answer or
is about languages, and so excuses. Of a language that is not listed only English words are known, which models mix in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_ENGLISH_HEADINGS = "question|problem|exercise|assignment"
_ENGLISH_ANSWERS = "answer|solution"
_NEVER = r"(?!)"
_TALKS = "translat|languages?|english|french|spanish|german|latin|greek|arabic|chinese|japanese"


@dataclass(frozen=True)
class Forms:
    """The patterns of one language. A section of an answer has what it gives as the group `given`."""

    heading: re.Pattern[str]
    answer_section: re.Pattern[str]
    outside: re.Pattern[str]
    refusal: re.Pattern[str]
    judging: re.Pattern[str]
    on_languages: re.Pattern[str]


@dataclass(frozen=True)
class _Words:
    """What the patterns of one language are made of: alternatives of regular expressions, parted by bars."""

    headings: str
    answers: str
    outside: str
    refusals: str
    judging: str
    on_languages: str


@cache
def forms_of(language: str) -> Forms:
    """The patterns of a language, whatever is known of it."""
    own = _WORDS.get(language, _Words(_NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER))
    many = re.IGNORECASE | re.MULTILINE | re.DOTALL
    return Forms(
        heading=re.compile(
            rf"^[\W_]*(?:{_ENGLISH_HEADINGS}|{own.headings})[^\S\n]*\d{{0,3}}[\s*_#]*(?:[:\uff1a]|\n|$)[\s*_]*",
            re.IGNORECASE,
        ),
        answer_section=re.compile(
            rf"^(?:[^\w\n]|_)*(?:{_ENGLISH_ANSWERS}|{own.answers})[*_ \t\u00a0\u202f]*[:\uff1a](?P<given>.*)", many
        ),
        outside=re.compile(own.outside, re.IGNORECASE),
        refusal=re.compile(own.refusals, re.IGNORECASE),
        judging=re.compile(own.judging, re.IGNORECASE),
        on_languages=re.compile(rf"{_TALKS}|{own.on_languages}", re.IGNORECASE),
    )


_WORDS: Mapping[str, _Words] = {
    "de": _Words(
        headings="frage|aufgabe|übung|übungsaufgabe|hausaufgabe|problem",
        answers="(?:muster)?(?:antwort|lösung)",
        outside=r"\b(?:dieser|unserer|der (?:obigen|letzten|vorigen|vorherigen)) (?:sitzung|vorlesung|lektion|unterrichtseinheit)\b"
        r"|\b(?:laut|gemäß) (?:dem |unserem )?(?:syllabus|kursplan)\b|\b(?:oben genannten|obigen) schlüsselkonzepte\b",
        refusals=r"(?:es )?tut mir leid,? (?:aber )?(?:ich|das) kann|als (?:ki|künstliche intelligenz)\b[^.]{0,40} kann ich",
        judging="fehler|falsch|richtig|korrekt|prüf|beurteil|stimmt",
        on_languages="übersetz|sprach|dialekt|gedicht|englisch|französisch|spanisch|latein|griechisch",
    ),
    "fr": _Words(
        headings="question|problème|exercice|devoir",
        answers="réponse|solution|corrigé",
        outside=r"\b(?:cette|notre) séance\b(?! d[e'\u2019])|\b(?:la|les) séances? (?:précédentes?|ci-dessus)\b"
        r"|\b(?:selon|d['\u2019]après) (?:le|notre) (?:syllabus|plan de cours)\b|\bconcepts clés (?:ci-dessus|donnés)\b",
        refusals=r"(?:je suis )?désolé[,e]* (?:mais )?je ne (?:peux|suis)|en tant qu['\u2019](?:ia|intelligence artificielle)\b[^.]{0,40}\bje ne\b",
        judging="erreur|faux|fausse|juste|correct|vérifi|évalu",
        on_languages="tradu|langue|poème|dialecte|anglais|espagnol|allemand|latin|grec",
    ),
    "es": _Words(
        headings="pregunta|problema|ejercicio|tarea",
        answers="respuesta|solución",
        outside=r"\b(?:esta|nuestra) sesión\b(?! de\b)|\bla sesión (?:anterior|pasada)\b|\bsegún (?:el|nuestro) (?:temario|programa del curso)\b"
        r"|\bconceptos clave (?:anteriores|dados)\b",
        refusals=r"lo siento,? (?:pero )?no puedo|como (?:modelo de lenguaje|inteligencia artificial|ia)\b[^.]{0,40}\bno (?:puedo|tengo|soy)\b",
        judging="error|incorrect|correct|verifi|evalú",
        on_languages="tradu|idioma|lengua|poema|dialecto|inglés|francés|alemán|latín|griego",
    ),
    "pt": _Words(
        headings="pergunta|questão|problema|exercício|tarefa",
        answers="resposta|solução",
        outside=r"\b(?:nesta|desta|nossa) (?:sessão|aula)\b(?! de\b)|\b(?:sessão|aula) anterior\b|\bconceitos-chave (?:acima|dados)\b",
        refusals=r"(?:sinto muito|desculpe),? (?:mas )?não posso|como (?:modelo de linguagem|uma? ia)\b[^.]{0,40}\bnão (?:posso|tenho|sou)\b",
        judging="erro|incorret|corret|verifi|avali",
        on_languages="tradu|idioma|língua|poema|dialeto|inglês|francês|espanhol|alemão|latim",
    ),
    "it": _Words(
        headings="domanda|problema|esercizio|compito",
        answers="risposta|soluzione",
        outside=r"\b(?:questa|nostra) (?:sessione|lezione)\b(?! di\b)|\b(?:sessione|lezione) precedente\b|\bconcetti chiave (?:sopra|dati)\b",
        refusals=r"mi dispiace,? (?:ma )?non posso|come (?:modello linguistico|intelligenza artificiale)\b[^.]{0,40}\bnon (?:posso|ho|sono)\b",
        judging="error|sbagliat|corrett|verific|valut",
        on_languages="tradu|lingua|poesia|dialetto|inglese|francese|spagnolo|tedesco|latino|greco",
    ),
    "nl": _Words(
        headings="vraag|opgave|oefening|probleem",
        answers="antwoord|oplossing",
        outside=r"\b(?:deze|onze|de vorige) (?:sessie|les)\b|\bkernbegrippen hierboven\b",
        refusals=r"(?:het )?spijt me,? (?:maar )?(?:ik|dat) kan|als (?:ai|taalmodel)\b[^.]{0,40}\bkan ik\b",
        judging="fout|onjuist|juist|correct|controleer|beoordeel",
        on_languages="vertaal|taal|gedicht|dialect|engels|frans|duits|spaans|latijn",
    ),
    "ru": _Words(
        headings="вопрос|задача|задание|упражнение",
        answers="ответ|решение",
        outside=r"\b(?:на|в) (?:этом|прошлом|предыдущем|нашем) (?:занятии|уроке|курсе)\b|\bключевы[ех] поняти\w+ выше\b",
        refusals=r"извините,? (?:но )?я не могу|как (?:языковая модель|искусственный интеллект)[^.]{0,40}\bя не\b",
        judging="ошибк|неверн|верн|правильн|провер|оцени",
        on_languages="перевод|перевед|язык|стихотвор|диалект|английск|французск|немецк|латын",
    ),
    "zh": _Words(
        headings="问题|題目|题目|問題|习题|練習|练习题?|作业",
        answers="答案|参考答案|解答|解答过程|答",
        outside="(?:本|上述|上一|这)(?:节课|堂课|课程)|(?:上述|以上)(?:关键|核心)概念|教学大纲(?:中|里)",
        refusals=r"(?:很)?抱歉[,，]?我(?:无法|不能)|作为(?:一个|一名)?(?:人工智能|AI|语言模型)[^。]{0,20}我(?:无法|不能|没有)",
        judging="错误|錯誤|正确|正確|检查|判断|评价|是否",
        on_languages="翻译|翻譯|语言|語言|诗|英语|英文|法语|日语|拉丁",
    ),
    "ja": _Words(
        headings="問題|問い|問|設問|課題|演習",
        answers="答え|解答|回答|解答例|正解",
        outside="(?:本|前回の|今回の|上記の)(?:講義|授業|セッション|シラバス)|上記の(?:重要|主要)?(?:概念|キーワード)",
        refusals=r"申し訳(?:ありません|ございません)が|(?:AI|人工知能|言語モデル)として[^。]{0,40}(?:できません|ありません)",
        judging="誤り|間違|正し|検討|評価|確認",
        on_languages="翻訳|訳し|言語|詩|英語|フランス語|ドイツ語|中国語|ラテン語",
    ),
    "ko": _Words(
        headings="질문|문제|과제|연습문제",
        answers="답|정답|해답|답변|풀이",
        outside="(?:이번|지난|위의|본) (?:수업|강의|세션)|위의 (?:핵심|주요) 개념|강의계획서",
        refusals=r"죄송하지만|(?:AI|인공지능|언어 모델)로서[^.]{0,40}(?:없습니다|않습니다)",
        judging="오류|틀린|맞는지|옳|검토|평가|확인",
        on_languages="번역|언어|시를|영어|프랑스어|일본어|중국어",
    ),
    "ar": _Words(
        headings="سؤال|السؤال|مسألة|تمرين|التمرين",
        answers="الإجابة|إجابة|الجواب|الحل",
        outside="(?:هذه|تلك) (?:الجلسة|المحاضرة|الحصة)|(?:الجلسة|المحاضرة|الحصة) (?:السابقة|أعلاه)|المفاهيم (?:الأساسية|الرئيسية) أعلاه",
        refusals="(?:عذرا|عذرًا|آسف)[،,]? (?:لكن )?(?:لا|لن) (?:أستطيع|يمكنني)|بصفتي (?:نموذج|ذكاء)",
        judging="خطأ|خاطئ|صحيح|صحة|تحقق|قيّم",
        on_languages="ترجم|لغة|اللغة|قصيدة|الإنجليزية|الفرنسية|لهجة",
    ),
    "hi": _Words(
        headings="प्रश्न|सवाल|समस्या|अभ्यास",
        answers="उत्तर|हल|समाधान|जवाब",
        outside="(?:इस|पिछले|उपरोक्त) (?:सत्र|कक्षा|पाठ्यक्रम)|उपरोक्त (?:मुख्य )?अवधारणा",
        refusals="(?:मुझे )?(?:खेद|क्षमा)[^।]{0,20}(?:मैं|लेकिन)",
        judging="गलत|त्रुटि|सही|जाँच|मूल्यांकन",
        on_languages="अनुवाद|भाषा|कविता|अंग्रेज़ी|हिंदी",
    ),
}
