"""Whether an answer goes round in circles.

Refrains are no circles: a villanelle says two of its lines four times, a pantoum each of its lines twice, a worked
example says "no swap is needed" at many steps. So a sentence counts from its third time on, or where a whole
passage is said again at once; and lists whose items begin alike are told from loops inside one sentence.

Numbers of words are larger in languages without spaces, whose characters count one by one.
"""

import re
from collections import Counter
from collections.abc import Sequence

from glan.config import Curation
from glan.curation.examples import Example
from glan.curation.words import characters_per_word, words

_SHORTEST = 4  # words of a sentence that counts as repeated
_FEWEST_WORDS = 30  # of an answer that is judged
_ALLOWED_TIMES = 2
_LOOP = 5  # times in a row, after which no share is needed
_PASSAGE_SENTENCES, _PASSAGE_WORDS = 3, 30  # of a passage whose second time counts
_MOST_SENTENCES = 1_000  # looked at, so that a hostile text costs no more than a long one
_NGRAM, _NGRAM_TIMES = 4, 4
_CLAUSE_END = re.compile(r"[\s\u17d4\u104a\u104b]+")  # where hardly any other mark ends a sentence, as in Thai
_FEW_MARKS = 4  # characters for each word of languages that are written so


def repetition(example: Example, settings: Curation) -> str | None:
    """The same sentences or the same few words again and again."""
    each = characters_per_word(example.language)
    sentences = example.said.sentences[:_MOST_SENTENCES]
    if each >= _FEW_MARKS:
        sentences = [clause for sentence in sentences for clause in _CLAUSE_END.split(sentence)][:_MOST_SENTENCES]
    said = [tuple(words(sentence)) for sentence in sentences]
    total = sum(map(len, said))
    if total < _FEWEST_WORDS * each:
        return None
    share = _top_ngram_words(said, round(_NGRAM * each)) / total
    if share > settings.max_top_ngram_share:
        return f"one phrase of {_NGRAM} words, repeated within a sentence, fills {share:.0%} of the answer"
    long = [sentence for sentence in said if len(sentence) >= _SHORTEST * each]
    if len(set(long)) == len(long):
        return None
    in_a_row, copied = _circles(long, _PASSAGE_WORDS * each)
    if in_a_row >= _LOOP:
        return f"the same passage {in_a_row} times in a row"
    share = sum(len(long[index]) for index in copied | _said_often(long)) / total
    if share > settings.max_repeated_line_share:
        return f"{share:.0%} of the answer repeats sentences that were said before"
    return None


def _said_often(said: Sequence[tuple[str, ...]]) -> set[int]:
    times: Counter[tuple[str, ...]] = Counter()
    often = set()
    for index, sentence in enumerate(said):
        times[sentence] += 1
        if times[sentence] > _ALLOWED_TIMES:
            often.add(index)
    return often


def _circles(said: Sequence[tuple[str, ...]], passage_words: float) -> tuple[int, set[int]]:
    """How often in a row one passage is said at most, and the sentences of passages that are said again at once."""
    most = 1
    copied: set[int] = set()
    for period in _periods(said):
        run = 0
        for index in range(period, len(said)):
            run = run + 1 if said[index] == said[index - period] else 0
            most = max(most, 1 + run // period)
            if run >= period and _is_passage(said[index - period + 1 : index + 1], passage_words):
                copied.update(range(index - period + 1, index + 1))
    return most, copied


def _periods(said: Sequence[tuple[str, ...]]) -> set[int]:
    """Distances between a sentence and its next occurrence, in which passages are looked for."""
    last: dict[tuple[str, ...], int] = {}
    distances = set()
    for index, sentence in enumerate(said):
        if sentence in last:
            distances.add(index - last[sentence])
        last[sentence] = index
    return distances


def _is_passage(said: Sequence[tuple[str, ...]], passage_words: float) -> bool:
    return len(said) >= _PASSAGE_SENTENCES and sum(map(len, said)) >= passage_words


def _top_ngram_words(said: Sequence[tuple[str, ...]], gram: int) -> int:
    """Words that the commonest phrase of `gram` fills in one sentence, 0 if it is there too seldom to be a loop."""
    return max((_filled(sentence, gram) for sentence in said), default=0)


def _filled(sentence: tuple[str, ...], gram: int) -> int:
    if len(sentence) - len(set(sentence)) < gram * (_NGRAM_TIMES - 1):
        return 0  # so many words come again in a phrase that is repeated
    alone = 0x2E80 if gram == _NGRAM else 0x0E00  # from here on, a letter may be a word
    spoken = [word for word in sentence if word.isalpha() and (len(word) > 1 or ord(word) >= alone)]
    starts: dict[tuple[str, ...], list[int]] = {}
    for start in range(len(spoken) - gram + 1):
        found = starts.setdefault(tuple(spoken[start : start + gram]), [])
        if not found or start >= found[-1] + gram:  # overlapping ones would count a word twice
            found.append(start)
    times = max(map(len, starts.values()), default=0)
    return times * gram if times >= _NGRAM_TIMES else 0
