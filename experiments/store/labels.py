"""What people write on studies: tags and a note; and templates, the settings that studies are submitted from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.holding import PLAIN
from experiments.store.models import StudyRow, TagRow, TemplateRow, epoch_seconds
from experiments.store.names import check_name, get_row
from experiments.store.values import decode, encode
from search_spaces.errors import UsageError, unknown

MAX_TAG = 64
MAX_NOTE = 100_000


@dataclass(frozen=True, slots=True)
class Template:
    """Settings by name; ``settings`` is plain data, as ``Queue.submit`` takes it."""

    name: str
    settings: dict[str, Any]
    note: str


class Labels:
    """Reads and writes labels; ``Store.labels`` is one. Those of a study need no runner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tag(self, study: str, tags: Iterable[str]) -> None:
        """Put tags on a study; one that is there stays.

        Raises:
            UsageError: there is no such study, or a tag has no allowed name.
        """
        with self._database.write() as session:
            put_tags(session, get_row(session, study).id, tags)

    def untag(self, study: str, tags: Iterable[str]) -> None:
        """Take tags off a study; one that is not there is no error."""
        with self._database.write() as session:
            row = get_row(session, study)
            session.execute(delete(TagRow).where(TagRow.study_id == row.id, TagRow.tag.in_(list(tags))))

    def note(self, study: str, text: str) -> None:
        """Replace the note of a study; "" takes it off."""
        if len(text) > MAX_NOTE:
            raise UsageError(f"the note has {len(text)} characters: allowed: {MAX_NOTE}")
        text = text.replace("\0", "")
        with self._database.write() as session:
            row = get_row(session, study)
            noted = update(StudyRow).where(StudyRow.id == row.id).values(note=text, updated_at=epoch_seconds())
            session.execute(noted, execution_options=PLAIN)

    def save_template(self, name: str, settings: Mapping[str, Any], note: str = "") -> None:
        """Store settings under a name; what had the name is replaced.

        Raises:
            UsageError: the name or a setting can't be stored.
        """
        check_name(name, "template")
        values = {"name": name, "settings": encode(settings, "settings"), "note": note}
        with self._database.write() as session:
            insert = _insert(session, TemplateRow).values({**values, "created_at": epoch_seconds()})
            session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))

    def templates(self) -> list[Template]:
        """Return the templates by name."""
        with self._database.read() as session:
            stored = session.scalars(select(TemplateRow).order_by(TemplateRow.name))
            return [Template(row.name, decode(row.settings), row.note) for row in stored]

    def template(self, name: str) -> Template:
        """Return one template.

        Raises:
            UsageError: there is none of this name; close ones are listed.
        """
        found = {template.name: template for template in self.templates()}
        if name not in found:
            raise unknown("template", name, found)
        return found[name]

    def delete_template(self, name: str) -> None:
        """Delete a template; studies that were submitted from it stay."""
        with self._database.write() as session:
            gone = session.scalar(delete(TemplateRow).where(TemplateRow.name == name).returning(TemplateRow.name))
            if gone is None:
                raise unknown("template", name, session.scalars(select(TemplateRow.name)))


def put_tags(session: Session, study_id: int, tags: Iterable[str]) -> None:
    """Put tags on a study; one that is there stays."""
    rows = [{"study_id": study_id, "tag": check_name(tag, "tag", MAX_TAG)} for tag in dict.fromkeys(tags)]
    if rows:
        session.execute(_insert(session, TagRow).values(rows).on_conflict_do_nothing())


def _insert(session: Session, table: Any) -> Any:
    """Return an INSERT that may say what happens on a conflict; the two databases write it in the same words."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)
