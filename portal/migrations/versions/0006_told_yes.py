"""told yes, and owners who are no persons

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Until now an activity that asks for a yes was taken to have given it to everybody who stands on its shifts.
TOLD_YES = """
    UPDATE volunteer_signup SET way = 'approved'
    WHERE way IN ('self', 'family', 'line') AND state IN ('joined', 'present', 'done', 'no_show')
    AND shift_id IN (
        SELECT volunteer_shift.id FROM volunteer_shift
        JOIN volunteer_activity ON volunteer_activity.id = volunteer_shift.activity_id
        WHERE volunteer_activity.joining = 'approved'
    )
"""


def upgrade() -> None:
    op.execute(TOLD_YES)
    with op.batch_alter_table("dwelling_owner", schema=None) as batch_op:
        batch_op.add_column(sa.Column("not_organisation_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_dwelling_owner_not_organisation_id"), ["not_organisation_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_dwelling_owner_not_organisation_id"),
            "organisation",
            ["not_organisation_id"],
            ["id"],
            ondelete="SET NULL",
        )
    with op.batch_alter_table("meeting_attendee", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_meeting_attendee_owner_id"), ["owner_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_meeting_attendee_owner_id"), "dwelling_owner", ["owner_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("meeting_attendee", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_meeting_attendee_owner_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_meeting_attendee_owner_id"))
        batch_op.drop_column("owner_id")
    with op.batch_alter_table("dwelling_owner", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_dwelling_owner_not_organisation_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_dwelling_owner_not_organisation_id"))
        batch_op.drop_column("not_organisation_id")
    # Whether each of them tapped, came with family or moved up is not known any more.
    op.execute("UPDATE volunteer_signup SET way = 'self' WHERE way = 'approved'")
