insert into document_table (
    id, place, version, first_position, position, created_at, updated_at, doc
)
select t.id, t.place, t.version, t.first_position, t.position, t.created_at, t.updated_at, t.doc::jsonb
from unnest(
    $1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::timestamptz[], $7::timestamptz[], $8::text[]
) as t (id, place, version, first_position, position, created_at, updated_at, doc)
on conflict (id) do update set
    place      = excluded.place,
    version    = excluded.version,
    position   = excluded.position,
    updated_at = excluded.updated_at,
    doc        = excluded.doc
