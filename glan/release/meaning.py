"""Rows that were rejected by meaning -> the settings of curation that they were compared by."""

from functools import cache

from glan.config import Curation
from glan.dataset import View
from glan.errors import StoreError, StoreWeather
from glan.store import manifests, runs


class Compared:
    """By which embedding model, and from which similarity on, questions of a discipline were compared."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.by = cache(self._by)

    def _by(self, discipline_id: str) -> Curation | None:
        """The settings of the last run with an embedding model that published what the view shows of the discipline, or
        what it shows was made of; None if none is on record any more."""
        files = self._view.store.files
        for generation in range(self._view.generations("instructions").get(discipline_id, 0), 0, -1):
            try:
                manifest = manifests.at(files, "instructions", discipline_id, generation)
            except StoreWeather:
                raise
            except StoreError:  # cleaned away, as are all before it
                return None
            try:
                settings = runs.config_of(files, runs.find(files, manifest.run_id)).curation
            except StoreWeather:
                raise
            except StoreError:  # the work of a command that is no run, such as `compact`
                continue
            if settings.embedding_model:
                return settings
        return None
