"""Append-only tables let a data key be wrapped anew, and nothing else.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    "DROP TRIGGER desk_document_no_update",
    (
        "CREATE TRIGGER desk_document_no_update BEFORE UPDATE ON desk_document WHEN NOT"
        " (NEW.digest IS OLD.digest AND NEW.kind IS OLD.kind AND NEW.kept_at IS OLD.kept_at AND"
        " substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS"
        " substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS"
        " NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT, 'desk_document is"
        " append-only'); END"
    ),
    "DROP TRIGGER desk_log_no_update",
    (
        "CREATE TRIGGER desk_log_no_update BEFORE UPDATE ON desk_log WHEN NOT (NEW.entry_id IS"
        " OLD.entry_id AND NEW.at IS OLD.at AND NEW.who IS OLD.who AND NEW.action IS OLD.action"
        " AND NEW.target IS OLD.target AND NEW.subject_index IS OLD.subject_index AND"
        " substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS"
        " substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS"
        " NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT, 'desk_log is append-only');"
        " END"
    ),
    "DROP TRIGGER disclosure_no_update",
    (
        "CREATE TRIGGER disclosure_no_update BEFORE UPDATE ON disclosure WHEN NOT"
        " (NEW.disclosure_id IS OLD.disclosure_id AND NEW.recipient IS OLD.recipient AND"
        " NEW.space IS OLD.space AND NEW.request_id IS OLD.request_id AND NEW.operation IS"
        " OLD.operation AND NEW.channel IS OLD.channel AND NEW.certificate IS OLD.certificate"
        " AND NEW.agreement_number IS OLD.agreement_number AND NEW.purpose IS OLD.purpose AND"
        " NEW.subject_index IS OLD.subject_index AND NEW.outcome IS OLD.outcome AND NEW.reasons"
        " IS OLD.reasons AND NEW.released IS OLD.released AND NEW.ground_kind IS"
        " OLD.ground_kind AND NEW.ground_id IS OLD.ground_id AND NEW.ground_digest IS"
        " OLD.ground_digest AND NEW.decided_at IS OLD.decided_at AND NEW.sealed_to IS"
        " OLD.sealed_to AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND"
        " substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND"
        " substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT,"
        " 'disclosure is append-only'); END"
    ),
    "DROP TRIGGER evidence_no_update",
    (
        "CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence WHEN NOT (NEW.recipient IS"
        " OLD.recipient AND NEW.digest IS OLD.digest AND NEW.kind IS OLD.kind AND NEW.kept_at"
        " IS OLD.kept_at AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND"
        " substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND"
        " substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT,"
        " 'evidence is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE FUNCTION makul_rewrapped_only() RETURNS trigger LANGUAGE plpgsql AS $makul$"
        " DECLARE as_it_was record; BEGIN IF TG_OP = 'UPDATE' THEN as_it_was := NEW;"
        " as_it_was.sealed := OLD.sealed; IF as_it_was *= OLD AND substr(NEW.sealed, 1, 1) ="
        " substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) = substr(OLD.sealed, 50) AND"
        " length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) <> substr(OLD.sealed, 2, 8) THEN"
        " RETURN NEW; END IF; END IF; RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING"
        " ERRCODE = 'integrity_constraint_violation'; END $makul$"
    ),
    "DROP TRIGGER desk_document_no_change ON desk_document",
    (
        "CREATE TRIGGER desk_document_no_change BEFORE DELETE OR UPDATE ON desk_document FOR"
        " EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    "DROP TRIGGER desk_log_no_change ON desk_log",
    (
        "CREATE TRIGGER desk_log_no_change BEFORE DELETE OR UPDATE ON desk_log FOR EACH ROW"
        " EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    "DROP TRIGGER disclosure_no_change ON disclosure",
    (
        "CREATE TRIGGER disclosure_no_change BEFORE DELETE OR UPDATE ON disclosure FOR EACH ROW"
        " EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    "DROP TRIGGER evidence_no_change ON evidence",
    (
        "CREATE TRIGGER evidence_no_change BEFORE DELETE OR UPDATE ON evidence FOR EACH ROW"
        " EXECUTE FUNCTION makul_rewrapped_only()"
    ),
)


def upgrade() -> None:
    """Put the triggers on updates in place of those that let nothing through."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
