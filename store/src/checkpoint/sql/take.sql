update projection_checkpoint
set owner_epoch = owner_epoch + 1, updated_at = clock_timestamp()
where log_id = $1 and name = $2 and updated_at < clock_timestamp() - $3 * interval '1 millisecond'
returning owner_epoch, position
