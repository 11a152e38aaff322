update projection_checkpoint
set updated_at = 'epoch'
where log_id = $1 and name = $2 and owner_epoch = $3
