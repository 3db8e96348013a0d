"""Plan and figures -> the data card: README.md with the front matter that `datasets` and the Hub read.

Everything that a model or a person named is escaped: it is shown, never interpreted.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa
import yaml

from glan.costs import Spent, dollars, money
from glan.names import shown
from glan.release import licences
from glan.release.figures import Authors, Figures, Node
from glan.release.formats import kinds
from glan.release.measures import Measured
from glan.release.pictures import LENGTHS, ROWS
from glan.release.releases import ReleaseOptions, ReleasePlan
from glan.release.splits import SPLITS
from glan.report.diversity import Diversity
from glan.report.ledger import Ledger
from glan.report.text_tables import figure, part, variety
from glan.units import ASKING

_Name = TypeVar("_Name")

_LONGEST_NAME = 120
_LONGEST_EXAMPLE = 800

# Where a Markdown renderer would begin a link, a cell, emphasis, mathematics or code; "www." begins a link by itself.
_MARKUP = re.compile(r"([\\`*_\[\]|~$#:@])|(?i:(?<=www)(\.))")
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_SIZES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
    (10_000_000_000, "1B<n<10B"),
    (100_000_000_000, "10B<n<100B"),
    (1_000_000_000_000, "100B<n<1T"),
]

_COLUMNS = """\
| column | what it holds |
|---|---|
| `messages` | the question (`user`) and its answer (`assistant`) |
| `question_id` | identifies the pair; the same in every release of this store |
| `field`, `sub_field`, `discipline`, `discipline_id`, `subject`, `level` | its place in the taxonomy |
| `language` | the language it was written in, by ISO 639 code: the syllabus too, so nothing is a translation |
| `strategy`, `key_concepts` | how the question was sampled from the subject's syllabus, and the concepts it is about |
| `difficulty`, `question_type` | what was asked for: `easy`, `medium`, `hard`; `open`, `multiple_choice`, `coding`, `essay`; else empty |
| `correct_option` | of a multiple-choice question, the key that its writer gave and the answer, made without it, came to; else empty |
| `other_subject` | of a `cross_subject` question, the other subject whose syllabus it was sampled from; else empty |
| `question_model`, `answer_model`, `request_keys` | who wrote it, and the calls it rests on in the store's call log |
| `flags` | what a mechanical check speaks against: `answers_disagree`, `code_fails`; usually empty |"""

_METHOD = """\
The method is GLAN (Li et al. 2024, arXiv 2402.13064): no seed questions, only a taxonomy of human knowledge.

1. A taxonomy of fields, sub-fields and disciplines, curated by people.
2. Per discipline, several independent lists of subjects, merged.
3. Per subject, a syllabus: class sessions with their key concepts.
4. Per syllabus, questions about sampled concepts of one session (`single_session`) or of two (`cross_session`); by
   choice, and beyond the paper, of a session each of two subjects of a discipline (`cross_subject`).
5. Per question, an answer by a separate call.
6. Curation: duplicates, near-duplicates and rows that break a rule are rejected, with reasons."""

_LIMITS = """\
- Questions and answers were written by language models and not checked by people: expect errors of fact and of reasoning.
- What the models favour or avoid, this data favours or avoids; the taxonomy decides what is covered at all.
- Curation removes what its rules see. It does not prove that an answer is right."""


def card(plan: ReleasePlan, figures: Figures, measured: Measured, authors: Counter[Authors], spent: Ledger) -> str:
    """The whole README.md; depends on nothing but its arguments."""
    sections = [
        _front_matter(plan, figures),
        _opening(plan, figures),
        f"## Reading it\n\n{_reading(plan)}",
        f"## Columns\n\n{_columns(plan)}",
        f"## How it was made\n\n{_method(plan)}",
        f"## Models and prompts\n\n{_models(figures, authors)}",
        f"## Splits\n\n{_splits(plan, figures)}",
        f"## Rows\n\n{_rows(figures, measured)}",
        f"## Coverage and diversity\n\n{_coverage(measured)}",
        f"## What was left out\n\n{_rejected(figures)}",
        f"## Benchmarks\n\n{_benchmarks(figures)}",
        f"## What it cost\n\n{_costs(figures, spent)}",
        f"## An example\n\n{_example(figures)}",
        f"## Limits\n\n{_LIMITS}",
        f"## Licence\n\n{_terms(plan.options)}",
    ]
    return "\n\n".join(sections) + "\n"


def escaped(text: str) -> str:
    """Text as it may stand in a line or a table cell of Markdown: on one line, cut, with nothing left to interpret."""
    return _MARKUP.sub(r"\\\g<0>", shown(" ".join(text.split()), _LONGEST_NAME)).translate(_ENTITIES)


def size_category(rows: int) -> str:
    """What the Hub calls a data set of so many rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1T")


def _front_matter(plan: ReleasePlan, figures: Figures) -> str:
    every = kinds(plan.options.formats, plan.conversations)
    splits = [name for name in SPLITS if figures.splits[name]]
    named = {
        "default" if kind is every[0] else kind.shape.folder: kind for kind in every if kind.ending == every[0].ending
    }
    header = {
        "pretty_name": plan.release,
        **({"language": [name for name, _ in _ranked(figures.languages)]} if figures.languages else {}),
        **licences.fields(plan.options.license, plan.options.license_link),
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "instruction-tuning", "glan"],
        "size_categories": [size_category(figures.rows)],
        "configs": [
            {
                "config_name": name,
                "data_files": [{"split": split, "path": kind.path(split, "*")} for split in splits],
            }
            for name, kind in named.items()
        ],
        # Told beforehand, or a reader of JSON takes a column that begins with nulls for one of nulls.
        "dataset_info": [
            {"config_name": name, "features": _features(kind.shape.schema)} for name, kind in named.items()
        ],
    }
    return f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---"


def _columns(plan: ReleasePlan) -> str:
    pair = "and its answer (`assistant`)"
    return _COLUMNS.replace(pair, f"{pair}, then any follow-ups in turn") if plan.conversations else _COLUMNS


def _method(plan: ReleasePlan) -> str:
    continued = (
        "\n\nConversations were continued before curation: the question model asked what a student asks next, the answer "
        "model answered with the conversation before it. Rules and benchmarks were held against every turn, duplicates, "
        "judges and checks against the first question and its answer."
    )
    return _METHOD + continued if plan.conversations else _METHOD


def _terms(options: ReleaseOptions) -> str:
    stated = "No licence is stated."
    if options.license:
        link = f" ({escaped(options.license_link)})" if options.license_link else ""
        stated = f"The data is published under {escaped(options.license)}{link}."
    return f"{stated} The terms of the models named above apply to what they wrote."


def _features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Columns as `datasets` writes them down."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = kind.value_type
        if pa.types.is_list(inner):
            return {"list": _feature(inner)}
        return {"list": _features(pa.schema(list(inner))) if pa.types.is_struct(inner) else str(inner)}
    return {"dtype": str(kind)}


def _opening(plan: ReleasePlan, figures: Figures) -> str:
    fields = len({node.field for node in figures.nodes})
    made = f"{plan.created_at:%Y-%m-%d} by glan {escaped(plan.glan_version)} from snapshot {plan.snapshot} of its store"
    return (
        f"# {plan.release}\n\n"
        f"{figures.rows:,} questions with answers for instruction tuning, from {len(figures.nodes):,} disciplines in "
        f"{fields:,} fields, written by language models. Published {made}; it does not change any more."
    )


def _reading(plan: ReleasePlan) -> str:
    every = kinds(plan.options.formats, plan.conversations)
    shown_kinds = ", ".join(f"`{kind.path('train', '*')}`" for kind in every)
    code = 'from datasets import load_dataset\n\ntrain = load_dataset("path/of/this/folder", split="train")'
    same = "; all hold the same rows in the same order" if len(every) > 1 else ""
    return (
        f"```python\n{code}\n```\n\nThe files are {shown_kinds}{same}. `manifest.json` lists them with their digests."
    )


def _models(figures: Figures, authors: Counter[Authors]) -> str:
    pairs = _table(
        ["questions by", "answers by", "rows"],
        [[escaped(asked), escaped(answered), f"{rows:,}"] for (asked, answered), rows in _ranked(figures.models)],
    )
    behind = _table(
        ["stage", "prompt", "version", "digest", "model", "temperature", "top-p", "rows"],
        [_author(one, authors[one]) for one in sorted(authors, key=_place)],
    )
    about = "Behind them, over all rows of these disciplines, before questions were rejected:"
    return f"{pairs}\n\n{about}\n\n{behind}"


def _place(one: Authors) -> tuple[int, str]:
    return ASKING.index(one.stage), str(one)


def _author(one: Authors, rows: int) -> list[str]:
    sampling = ["–" if value is None else f"{value:g}" for value in (one.temperature, one.top_p)]
    prompt = [escaped(one.prompt_name), str(one.prompt_version), f"`{one.prompt_digest[:12]}`"]
    return [one.stage, *prompt, escaped(one.model), *sampling, f"{rows:,}"]


_APART = {"concepts": "no set of key concepts", "session": "no class session", "subject": "no subject"}


def _splits(plan: ReleasePlan, figures: Figures) -> str:
    counts = _table(["split", "rows"], [[name, f"{figures.splits[name]:,}"] for name in SPLITS if figures.splits[name]])
    if not figures.splits["test"]:
        return counts
    apart = _APART[plan.options.apart]
    about = f"The rows of `test` share {apart} with those of `train` and `validation`."
    return f"{counts}\n\n{about}"


def _rows(figures: Figures, measured: Measured) -> str:
    fields: Counter[str] = Counter()
    for node, rows in figures.nodes.items():
        fields[node.field] += rows
    without = {Node(*path[:3]) for path, one in measured.nodes.items() if path.discipline and not one.rows}
    tables = [
        _counts("field", fields),
        _table(
            ["field", "sub-field", "discipline", "rows"],
            [[*map(escaped, node), f"{figures.nodes[node]:,}"] for node in sorted({*figures.nodes, *without})],
        ),
        *([_counts("language", figures.languages)] if len(figures.languages) > 1 else []),
        _counts("level", figures.levels),
        _counts("strategy", figures.strategies),
        *([_counts("difficulty", figures.difficulties)] if figures.difficulties else []),
        *([_counts("question type", figures.question_types)] if figures.question_types else []),
    ]
    if figures.follow_ups:
        turns = {"1": figures.rows - figures.follow_ups.total()}
        turns |= {f"{number + 1}": rows for number, rows in sorted(figures.follow_ups.items())}
        tables.append(_table(["turns", "rows"], [[number, f"{rows:,}"] for number, rows in turns.items()]))
    return "\n\n".join([f"![Rows by field]({ROWS})", *tables])


def _coverage(measured: Measured) -> str:
    """Fields in a table, the rest by name of the file; then the figures of a sample of questions."""
    lines = [
        [escaped(path.field), f"{one.rows:,}", f"{one.subjects:,}", part(one.sessions_reached, one.sessions),
         part(one.concepts_reached, one.concepts), f"{one.sets:,}", f"{one.sets_possible:,}", figure(one.evenness)]
        for path, one in measured.nodes.items() if not any(path[1:])
    ]  # fmt: skip
    heads = ["field", "rows", "subjects", "sessions", "concepts", "concept sets", "of possible", "evenness"]
    about = (
        "Class sessions and key concepts that rows are about, of those in the syllabi; concept sets used, of those that "
        "can be sampled; evenness of rows over subjects (entropy, 0 to 1). Every node down to subjects: `coverage.csv`."
    )
    picture = f"![Lengths of questions and answers]({LENGTHS})"
    return f"{_table(heads, lines)}\n\n{about}\n\n{_diversity(measured.diversity)}\n\n{picture}"


def _diversity(found: Diversity) -> str:
    if found.distinct is None:
        return "There are too few questions to say how varied they are."
    about = (
        f"How varied questions are, on a fixed sample of {found.questions:,} (500 unless there are fewer); what is "
        "compressed (zlib) are their normalised words, not the raw text:"
    )
    return f"{about}\n\n{_table(['figure', 'more varied is', 'value'], variety(found))}"


def _rejected(figures: Figures) -> str:
    """What was rejected, and what is there although a check speaks against it."""
    if not figures.flags:
        return _reasons(figures)
    about = (
        "Rows that are in the data and that a check speaks against: a second answer to the question came to another result "
        "(`answers_disagree`), or a program in the answer ended with an error (`code_fails`). They carry it in `flags`:"
    )
    return f"{_reasons(figures)}\n\n{about}\n\n{_counts('flag', figures.flags)}"


def _reasons(figures: Figures) -> str:
    if not figures.rejected:
        return "Nothing was rejected."
    share = figures.rejected / (figures.rejected + figures.rows)
    opening = f"{figures.rejected:,} rows ({share:.1%}) were rejected; a row may have several reasons."
    return f"{opening}\n\n{_counts('reason', figures.reasons)}{_by_meaning(figures)}"


def _by_meaning(figures: Figures) -> str:
    """What told that rows ask the same as others in other words."""
    if not figures.by_meaning:
        return ""
    lines = [
        [escaped(one.model), f"`{one.digest[:12]}`", f"{one.cosine:g}", f"{rows:,}"]
        for one, rows in _ranked(figures.by_meaning)
    ]
    about = (
        "Rows with `same_meaning` ask what a row of the same discipline asks in other words: the cosine of their static "
        "embeddings is as large as this or larger."
    )
    return f"\n\n{about}\n\n{_table(['embedding model', 'digest of its files', 'cosine', 'rows'], lines)}"


def _benchmarks(figures: Figures) -> str:
    """Every benchmark that rows were compared with, whether or not any row held an item of it."""
    lines = [
        [
            escaped(name),
            f"{figures.compared[name]:,}" if name in figures.compared else "–",
            f"{figures.contaminated[name]:,}",
        ]
        for name in sorted({*figures.compared, *figures.contaminated})
    ]
    if not lines:
        return "It is not on record that rows were compared with any benchmark."
    about = (
        "Questions and answers, those of rejected rows too, were looked through for the items of these benchmarks: "
        "verbatim, reworded, renumbered, cut, or as code. A row that holds one was rejected."
    )
    return f"{about}\n\n{_table(['benchmark', 'rows compared', 'rows that hold an item'], lines)}"


def _costs(figures: Figures, ledger: Ledger) -> str:
    """Tokens and money by stage and model, and what a row came to."""
    if not ledger.accounts:
        return "No call is on record."
    lines = [
        [escaped(stage), escaped(model), *_spent(spent)]
        for (stage, model), spent in ledger.by(lambda account: account[:2]).items()
    ]
    heads = ["stage", "model", "calls", "tokens sent", "tokens received", "cost"]
    table = _table(heads, [*lines, ["in all", "", *_spent(ledger.total)]])
    about = (
        "Every call on record for these disciplines when this was published, those for rows that were rejected or are "
        "not in this release too."
    )
    total = ledger.total
    each = f" That is {dollars(total.cost_usd / figures.rows)} a row." if total.cost_usd and not total.unpriced else ""
    return f"{about}{each}\n\n{table}"


def _spent(spent: Spent) -> list[str]:
    counts = spent.calls, spent.prompt_tokens, spent.completion_tokens
    return [*(f"{number:,}" for number in counts), escaped(money(spent))]


def _example(figures: Figures) -> str:
    example = figures.example or {"question": "", "answer": "", "turns": None}
    return "\n\n".join(
        f"{title}:\n\n{_quoted(turn[name])}"
        for turn in (example, *(example["turns"] or ()))
        for title, name in (("Question", "question"), ("Answer", "answer"))
    )


def _quoted(text: str) -> str:
    """An indented block: whatever the text holds, it cannot end the block."""
    short = text if len(text) <= _LONGEST_EXAMPLE else text[:_LONGEST_EXAMPLE] + "…"
    lines = [shown(line, _LONGEST_EXAMPLE) for line in short.split("\n")]
    return textwrap.indent("\n".join(lines), "    ")


def _counts(title: str, counts: Mapping[str, int]) -> str:
    return _table([title, "rows"], [[escaped(name or "–"), f"{rows:,}"] for name, rows in _ranked(counts)])


def _ranked(counts: Mapping[_Name, int]) -> list[tuple[_Name, int]]:
    """Largest first, then by name, so that equal counts always stand in one order."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def _table(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
