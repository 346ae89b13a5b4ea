"""Where things are: communities, clusters, buildings, homes, public places; and which account belongs to which
community."""

from uuid import UUID

import sqlalchemy as sa

from bot.store.base import NOBODY, Json, Row, id_column, mappings, metadata, reference, words

communities = sa.Table(
    "communities",
    metadata,
    id_column(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("aliases", Json, nullable=False),
    sa.Column("night_model", sa.Text, nullable=False, default="staffed"),
    words("phone"),
    sa.Column("demonstration", sa.Boolean, nullable=False, default=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    reference("community_id", "communities.id"),
    comment="An account that belongs to one community; one that is not listed serves all.",
)

clusters = sa.Table(
    "clusters",
    metadata,
    id_column(),
    reference("community_id", "communities.id", nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("community_id", "name"),
)

buildings = sa.Table(
    "buildings",
    metadata,
    id_column(),
    reference("community_id", "communities.id", nullable=False),
    reference("cluster_id", "clusters.id", index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("community_id", "name"),
)

homes = sa.Table(
    "homes",
    metadata,
    id_column(),
    reference("community_id", "communities.id", nullable=False),
    reference("building_id", "buildings.id", nullable=False, index=True),
    words("unit"),
    sa.Column("room", sa.Text, nullable=False),
    sa.UniqueConstraint("community_id", "building_id", "unit", "room"),
)

public_places = sa.Table(
    "public_places",
    metadata,
    id_column(),
    reference("community_id", "communities.id", nullable=False),
    reference("building_id", "buildings.id", index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.UniqueConstraint("community_id", "name"),
)


def all_communities(conn: sa.Connection) -> list[Row]:
    """Every real community, by name."""
    return mappings(conn, sa.select(communities).where(communities.c.id != NOBODY).order_by(communities.c.name))


def all_homes(conn: sa.Connection) -> list[Row]:
    """Every home with its community and the name of its building."""
    return mappings(
        conn,
        sa.select(
            homes.c.id, homes.c.community_id, buildings.c.name.label("building"), homes.c.unit, homes.c.room
        ).join(buildings, buildings.c.id == homes.c.building_id),
    )


def all_buildings(conn: sa.Connection) -> list[Row]:
    """Every building with the name of its cluster, if any."""
    joined = buildings.outerjoin(clusters, clusters.c.id == buildings.c.cluster_id)
    return mappings(
        conn,
        sa.select(
            buildings.c.id, buildings.c.community_id, buildings.c.name, clusters.c.name.label("cluster")
        ).select_from(joined),
    )


def all_public_places(conn: sa.Connection) -> list[Row]:
    return mappings(conn, sa.select(public_places).order_by(public_places.c.name))


def account_communities(conn: sa.Connection) -> dict[tuple[str, str], UUID]:
    """(channel, account) to the one community it belongs to."""
    rows = conn.execute(sa.select(accounts).where(accounts.c.community_id.is_not(None)))
    return {(row.channel, row.account): row.community_id for row in rows}
