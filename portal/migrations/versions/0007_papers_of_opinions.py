"""papers of opinions, entered by two people

Revision ID: 0007
Revises: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATES = ("second", "differs", "booked", "dropped")


def upgrade() -> None:
    op.create_table(
        "opinion_sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="sheetstate", native_enum=False, length=24), nullable=False),
        sa.Column("first", sa.Text(), nullable=True),
        sa.Column("first_by", sa.String(length=32), nullable=False),
        sa.Column("first_by_name", sa.String(length=64), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("second_by_name", sa.String(length=64), nullable=False),
        sa.Column("second_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_opinion_sheet_person_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_opinion_sheet_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion_sheet")),
        sa.UniqueConstraint("public_id", name=op.f("uq_opinion_sheet_public_id")),
        sa.UniqueConstraint("topic_id", "number", name=op.f("uq_opinion_sheet_topic_id_number")),
    )
    with op.batch_alter_table("opinion_sheet", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opinion_sheet_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_table("opinion_sheet")
