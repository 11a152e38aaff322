insert into projection_checkpoint (log_id, name, position, owner_epoch, updated_at)
values ($1, $2, 0, 0, 'epoch')
on conflict (log_id, name) do nothing
