"""${message}."""

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the schema."""


def downgrade() -> None:
    """A record is not taken back to an older schema: restore a backup instead."""
    raise NotImplementedError
