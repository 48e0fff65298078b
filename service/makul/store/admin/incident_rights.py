"""The rows of incidents that acts add, in the act's transaction (Procedure, cl. 15)."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from makul.domain.identifiers import MemberCode
from makul.domain.incidents import Incident, propose_from_incident
from makul.store.admin.case_rights import CaseRows
from makul.store.db.codecs import micros, pack
from makul.store.reads.incidents import incident_associated_data
from makul.store.schema.record_tables import disclosure
from makul.store.schema.secrecy_tables import incident

_OWN = select(disclosure.c.disclosure_id).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"),
    disclosure.c.recipient == bindparam("recipient"),
)
_ADD = insert(incident)


class IncidentRows(CaseRows):
    """The part of an act's rows that belongs to incidents."""

    def own_disclosures(self, recipient: MemberCode, ids: Collection[UUID]) -> frozenset[UUID]:
        """Return those ids that are decisions of this recipient."""
        return frozenset(
            each
            for each in ids
            if self._transaction.fetch_one(
                _OWN, {"recipient": recipient, "disclosure_id": each.bytes}
            )
        )

    def add_incident(self, recipient: MemberCode, incident_id: UUID, reported: Incident) -> UUID:
        """Record an incident, and propose a case for it; return the id of the case."""
        first, *others = propose_from_incident(recipient, incident_id, reported)
        case = self.propose_case(first)
        for proposal in others:
            self.add_proposal(case, proposal)
        key = {"incident_id": incident_id.bytes}
        self._track("incident", **key)
        private = {
            "v": 1,
            "happenedFrom": micros(reported.happened_from),
            "happenedTo": micros(reported.happened_to),
            "discoveredAt": micros(reported.discovered_at),
            "affected": reported.affected,
            "disclosures": [str(each) for each in reported.disclosures],
            "description": reported.description,
            "measures": reported.measures,
        }
        row = {
            **key,
            "recipient": recipient,
            "kind": reported.kind.value,
            "case_id": case.case_id.bytes,
            "sealed": self._cipher.encrypt(
                pack(private, []), incident_associated_data(incident_id.bytes)
            ),
            "reported_at": micros(self._at),
        }
        self._transaction.execute(_ADD, row)
        return case.case_id
