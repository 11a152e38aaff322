select
    pg_is_in_recovery() as in_recovery,
    h.position as head,
    h.hash,
    array(
        select coalesce(c.position, 0)
        from unnest($2::text[]) with ordinality as m (name, n)
        left join projection_checkpoint as c on c.log_id = $1 and c.name = m.name
        order by m.n
    ) as checkpoints,
    (select e.hash from events as e where e.log_id = $1 and e.position = $3) as hash_there
from log_head as h
where h.log_id = $1
