insert into projection_checkpoint as c (log_id, name, position, owner_epoch, updated_at)
values ($1, $2, $3, 1, 'epoch')
on conflict (log_id, name) do update
set position = excluded.position, owner_epoch = c.owner_epoch + 1, updated_at = 'epoch'
