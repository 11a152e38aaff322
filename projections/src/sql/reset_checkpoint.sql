update projection_checkpoint
set position = 0, owner_epoch = owner_epoch + 1, updated_at = 'epoch'
where log_id = $1 and name = $2
