"""How deep nodes are covered: what rows reach of what the syllabi hold, at every level."""

from pathlib import Path as Folder

from tiny_store import commit, instruction, new_store, publish, unit

from glan.dataset import View
from glan.report.reach import READS, Path, Reach, Reached, begun
from glan.store.store import Store

SESSIONS = [("Light", ["ray", "lens", "mirror"]), ("Waves", ["Crest", "phase"])]


def syllabus(store: Store, discipline_id: str, subject: str) -> object:
    one = unit("syllabi", discipline_id, subject)
    sessions = [{"title": title, "description": "", "key_concepts": names} for title, names in SESSIONS]
    return commit(store, one, [{"syllabus_id": f"s-{subject}", "subject_id": subject, "sessions": sessions}])


def asked(store: Store, discipline_id: str, subject: str, *about: tuple[list[int], list[str]]) -> object:
    one = unit("instructions", discipline_id, f"{subject}.0-20")
    place = {"subject_id": subject, "syllabus_id": f"s-{subject}", "subject": subject.title()}
    rows = [
        instruction(f"{subject}{number}", one, **place, session_indexes=sessions, key_concepts=concepts)
        for number, (sessions, concepts) in enumerate(about)
    ]
    return commit(store, one, rows)


def nodes(store: Store) -> dict[Path, Reach]:
    view = View.open(store, "latest")
    reached = Reached(view, begun(view))
    for table in view.tables("instructions", list(READS)):
        for row in table.to_pylist():
            reached.add(row)
    return dict(reached.nodes())


def test_sessions_concepts_and_sets_are_counted_of_those_there_are(tmp_path: Folder) -> None:
    store = new_store(str(tmp_path))
    questions = [([0], ["ray"]), ([0], ["Ray "]), ([0, 1], ["lens", "crest"])]
    publish(store, syllabus(store, "physics", "optics"), asked(store, "physics", "optics", *questions))
    found = nodes(store)
    optics = found[Path("Natural sciences", "Physical sciences", "Physics", "Optics")]
    assert (optics.rows, optics.sessions_reached, optics.sessions) == (3, 2, 2)
    assert (optics.concepts_reached, optics.concepts) == (3, 5)
    assert optics.sets == 2
    assert found[Path("Natural sciences")] == optics


def test_levels_add_up_and_subjects_without_rows_count(tmp_path: Folder) -> None:
    store = new_store(str(tmp_path))
    publish(
        store,
        syllabus(store, "physics", "optics"),
        syllabus(store, "physics", "heat"),
        syllabus(store, "law", "torts"),
        asked(store, "physics", "optics", ([0], ["ray"]), ([1], ["phase"])),
        asked(store, "law", "torts", ([0], ["ray"])),
    )
    found = nodes(store)
    physics = found[Path("Natural sciences", "Physical sciences", "Physics")]
    assert (physics.rows, physics.subjects, physics.sessions_reached, physics.sessions) == (2, 2, 2, 4)
    assert physics.evenness == 0.0
    assert [path.field for path in found if not any(path[1:])] == ["Natural sciences", "Social sciences"]
    assert found[Path("Social sciences")].evenness is None


def test_a_discipline_of_which_nothing_came_is_a_node_too(tmp_path: Folder) -> None:
    store = new_store(str(tmp_path))
    rejected = unit("instructions", "economics", "trade.0-20")
    publish(
        store,
        syllabus(store, "physics", "optics"),
        asked(store, "physics", "optics", ([0], ["ray"])),
        syllabus(store, "law", "torts"),
        commit(store, rejected, []),
    )
    found = nodes(store)
    law = found[Path("Social sciences", "", "Law")]
    assert (law.rows, law.subjects, law.sessions_reached, law.sessions, law.evenness) == (0, 1, 0, 2, None)
    assert found[Path("Social sciences", "", "Economics")] == Reach()
    assert found[Path("Natural sciences")].rows == 1


def test_rows_spread_evenly_over_subjects_are_said_to_be(tmp_path: Folder) -> None:
    store = new_store(str(tmp_path))
    publish(
        store,
        *(syllabus(store, "physics", name) for name in ("optics", "heat")),
        *(asked(store, "physics", name, ([0], ["ray"])) for name in ("optics", "heat")),
    )
    assert nodes(store)[Path("Natural sciences")].evenness == 1.0
